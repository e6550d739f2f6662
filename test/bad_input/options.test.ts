import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import {
  AlreadyRunningError,
  done,
  Hephaestus,
  InstanceNotFoundError,
  NotWaitingError,
  signal,
  type,
  versioned,
  workflow,
  WorkflowDefinitionError,
} from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { everywhere, silent } from "../everywhere.ts";

const ask = signal("ask", { events: { told: type() } });
const asking = (options: { scope?: "global" | "version"; key?: string; version?: number } = {}) =>
  workflow("asking", { key: "id", input: type(), start: ask, ...options })
    .on(ask, { told: done })
    .build();
const flow = asking();
const unbuilt = workflow("asking", { key: "id", input: type(), start: ask }).on(ask, {
  told: done,
});
const backend = () => memory();

function refuses(options: unknown, sentence: string): void {
  const error = assertThrows(() => new Hephaestus(options as never), TypeError);
  assertEquals(error.message, sentence);
}

describe("an engine", () => {
  const how = ". Hand over the workflows whose code this process has: workflows: [order]";

  it("says which option is missing or wrong", () => {
    refuses(undefined, "Cannot make an engine: its options are not an object");
    refuses(
      { backend: backend() },
      `Cannot make an engine: the option "workflows" is missing${how}`,
    );
    for (const workflows of [flow, null, "asking", new Set([flow])]) {
      refuses(
        { backend: backend(), workflows },
        `Cannot make an engine: the option "workflows" is no array${how}`,
      );
    }
  });

  it("says what stands among its workflows and is none", () => {
    const among = (one: unknown, why: string) =>
      refuses(
        { backend: backend(), workflows: [flow, one] },
        `Cannot use workflows[1]: it is ${why}`,
      );
    among(unbuilt, "not built yet: end it with .build()");
    among(undefined, "undefined. Modules that import each other may cause that");
    among(null, "null. Modules that import each other may cause that");
    among(ask, 'the step "ask". A workflow is made with workflow(...)');
    among("asking", "a string");
    among({ name: "asking" }, "no workflow. A workflow is made with workflow(...).build()");
  });

  it("refuses options that nobody reads", () => {
    const more = (option: object, why: string) =>
      refuses(
        { backend: backend(), workflows: [flow], ...option },
        `Cannot make an engine: ${why}`,
      );
    more({ poolsize: 3 }, 'there is no option "poolsize", did you mean "poolSize"?');
    more({ workflow: [flow] }, 'there is no option "workflow", did you mean "workflows"?');
    more({ connectionString: "" }, 'there is no option "connectionString"');
    more({ toString: 1 }, 'there is no option "toString"');
    const engine = new Hephaestus({ backend: backend(), workflows: [flow] });
    const error = assertThrows(() => engine.work({ pollInterval: 5 } as never), TypeError);
    assertEquals(error.message, 'Cannot work: there is no option "pollInterval"');
  });

  it("refuses queues and policies of retries that nobody reads", () => {
    const more = (option: object, sentence: string) =>
      refuses({ backend: backend(), workflows: [flow], ...option }, sentence);
    more(
      { queues: { advnce: "x" } },
      'Cannot use the option queues: there is no option "advnce", did you mean "advance"?',
    );
    more(
      { queues: { advance: "" } },
      "Cannot use the option queues: the queue of advance is not a text of 1 to 200 printable characters",
    );
    more(
      { retry: { retries: 3 } },
      'Cannot use the option retry: there is no option "retries": attempts, backoff, base, max can be given',
    );
  });

  it("refuses versions of one workflow whose keys differ", () => {
    const sentence = (member: string, one: string, other: string) =>
      `Cannot use version 2 of workflow "asking": its ${member} is "${other}", ` +
      `that of version 1 is "${one}", and all versions share them`;
    for (
      const [two, message] of [
        [asking({ scope: "global", version: 2 }), sentence("scope", "workflow", "global")],
        [asking({ key: "name", version: 2 }), sentence("key", "id", "name")],
      ] as const
    ) {
      const together = () => versioned("asking", { versions: { 1: flow, 2: two }, current: 2 });
      assertEquals(assertThrows(together, WorkflowDefinitionError).message, message);
      const apart = () => new Hephaestus({ backend: backend(), workflows: [flow, two] });
      assertEquals(assertThrows(apart, WorkflowDefinitionError).message, message);
    }
  });
});

describe("a call", () => {
  it("refuses options that nobody reads, and values that they do not have", async () => {
    await using engine = new Hephaestus({ backend: backend(), workflows: [flow], logger: silent });
    const first = await engine.start(flow, "a", undefined);
    const refused = async (call: (options: never) => unknown, options: unknown, why: string) => {
      const error = await assertRejects(async () => await call(options as never), TypeError);
      assertEquals(error.message, why);
    };
    const start = (options: never) => engine.start(flow, "a", undefined, options);
    const list = (options: never) => engine.list(flow, options);

    await refused(
      start,
      { onConfict: "return" },
      'Cannot start an instance: there is no option "onConfict", did you mean "onConflict"?',
    );
    await refused(
      start,
      { onConflict: "retrun" },
      'Cannot start an instance: onConflict is "reject", "return" or "replace", not "retrun"',
    );
    await refused(start, null, "Cannot start an instance: its options are not an object");
    await refused(
      (options) => engine.startMany(flow, [{ key: "b", input: undefined }], options),
      { onConflict: "return" },
      'Cannot start instances: there is no option "onConflict": tx, version can be given',
    );
    await refused(
      (options) => engine.cancel(flow, "a", options),
      { reasons: "x" },
      'Cannot cancel: there is no option "reasons", did you mean "reason"?',
    );
    await refused(
      (options) => engine.deleteInstance(flow, "a", options),
      { forced: true },
      'Cannot delete: there is no option "forced", did you mean "force"?',
    );
    await refused(
      (options) => engine.resume(flow, "a", ask.emit.told(), options),
      { after: "1s" },
      'Cannot resume: there is no option "after": tx can be given',
    );
    await refused(
      (options) => engine.scheduleResume(flow, "a", ask.emit.told(), options),
      undefined,
      "Cannot schedule a delivery: its options are not an object",
    );
    await refused(
      (options) => first.result(options),
      { timeout: "1s" },
      'Cannot wait for a result: there is no option "timeout": signal can be given',
    );
    await refused(
      list,
      { state: "running" },
      'Cannot list instances: there is no option "state", did you mean "status"?',
    );
    await refused(
      list,
      { status: "runing" },
      'Cannot list instances: "runing" is no status, they are pending, running, waiting, completed, failed, cancelled',
    );
    await refused(list, { tags: "x" }, "Cannot list instances: tags are not an array of texts");
    await refused(
      list,
      { version: "1" },
      "Cannot list instances: version is not a whole number",
    );
    assertEquals((await engine.get(flow, "a"))?.status, "waiting");
  });

  it("says that it names no instance", async () => {
    await using engine = new Hephaestus({ backend: backend(), workflows: [flow], logger: silent });
    for (const target of [undefined, null, 7, {}, { id: 7 }]) {
      await assertRejects(
        () => engine.get(flow, target as never),
        TypeError,
        'Cannot get an instance of "asking": it is named by its key, a text, or by { id }',
      );
    }
  });

  it("refuses to listen to what never happens", () => {
    const engine = new Hephaestus({ backend: backend(), workflows: [flow], logger: silent });
    const listen = (event: string, listener: unknown) => () =>
      engine.on(event as never, listener as never);
    assertThrows(
      listen("workflow:ended", () => {}),
      TypeError,
      'Cannot listen to "workflow:ended": there is no such event, they are workflow:start,',
    );
    assertThrows(
      listen("workflow:stop", undefined),
      TypeError,
      'Cannot listen to "workflow:stop": the listener is no function',
    );
  });

  it("says that its workflow is none", async () => {
    await using engine = new Hephaestus({ backend: backend(), workflows: [flow], logger: silent });
    const calls: Record<string, (of: never) => Promise<unknown>> = {
      start: (of) => engine.start(of, "a", undefined as never),
      startMany: (of) => engine.startMany(of, [{ key: "a", input: undefined as never }]),
      resume: (of) => engine.resume(of, "a", ask.emit.told() as never),
      cancel: (of) => engine.cancel(of, "a"),
      get: (of) => engine.get(of, "a"),
      history: (of) => engine.history(of, "a"),
      handle: (of) => engine.handle(of, "a"),
      list: (of) => engine.list(of, { limit: 1 }),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const [of, why] of [[unbuilt, "not built yet"], [undefined, "undefined"]] as const) {
        await assertRejects(async () => await call(of as never), TypeError, `it is ${why}`, name);
      }
    }
  });
});

everywhere("a business key", (it) => {
  it("is taken in the form in which it was given out", { workflows: [flow] }, async ({
    hephaestus,
  }) => {
    const { id, key } = await hephaestus.start(flow, "abc123", undefined);
    assertEquals(key, "id::abc123");

    assertEquals((await hephaestus.get(flow, key))?.id, id);
    assertEquals((await hephaestus.handle(flow, key))?.id, id);
    assertEquals((await hephaestus.list(flow, { key })).items.length, 1);
    assertEquals(await hephaestus.history(flow, key), []);
    await assertRejects(() => hephaestus.start(flow, key, undefined), AlreadyRunningError);
    const [many] = await hephaestus.startMany(flow, [{ key, input: undefined }]);
    assertEquals([many?.id, many?.started], [id, false]);
    assertEquals(await hephaestus.resume(flow, key, ask.emit.told()), "accepted");
    await hephaestus.cancel(flow, key);
    assertEquals((await hephaestus.start(flow, key, undefined)).key, key);
    const error = await assertRejects(() => hephaestus.get(flow, "userid::abc123"), TypeError);
    assertEquals(
      error.message,
      'Cannot use business key "userid::abc123": "::" is the separator, ' +
        'and the keys of this workflow begin with "id::"',
    );
  });

  it("that is an id names the instance, unless it is a key too", { workflows: [flow] }, async ({
    hephaestus,
  }) => {
    const { id } = await hephaestus.start(flow, "a", undefined);
    assertEquals((await hephaestus.get(flow, id))?.key, "id::a");
    assertEquals(await hephaestus.history(flow, id), []);
    const other = await hephaestus.start(flow, id, undefined);
    assertEquals((await hephaestus.get(flow, id))?.id, other.id);
    const nobody = "0190a000-0000-7000-8000-000000000001";
    await assertRejects(() => hephaestus.history(flow, nobody), InstanceNotFoundError);
  });
});

everywhere("a second delivery after the end", (it) => {
  const limited = signal("limited", { events: { told: type() }, expires: "1ms" });
  const expiring = workflow("expiring", { key: "id", input: type(), start: limited })
    .on(limited, { told: done, expired: done })
    .build();
  const workflows = [flow, expiring];

  it("is a duplicate of the one that was read", { workflows }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(flow, "a", undefined);
    assertEquals(await hephaestus.resume(flow, "a", ask.emit.told()), "accepted");
    assertEquals((await handle.result()).status, "completed");

    assertEquals(await hephaestus.resume(flow, "a", ask.emit.told()), "duplicate");
  });

  it("is told how and since when the instance has ended", { workflows }, async ({
    hephaestus,
    work,
  }) => {
    await hephaestus.start(flow, "a", undefined);
    await hephaestus.cancel(flow, "a");
    const { finishedAt } = (await hephaestus.get(flow, "a"))!;
    const error = await assertRejects(
      () => hephaestus.resume(flow, "a", ask.emit.told()),
      NotWaitingError,
    );
    assertEquals(
      error.message,
      'Cannot resume asking "id::a": signal "ask" is not waiting, ' +
        `instance is cancelled since ${finishedAt!.toISOString()}`,
    );

    await work();
    await (await hephaestus.start(expiring, "a", undefined)).result();
    const expired = await assertRejects(
      () => hephaestus.resume(expiring, "a", limited.emit.told()),
      NotWaitingError,
    );
    assertEquals(expired.event, "expired");
    assert(expired.message.includes('is not waiting, it has ended with "expired", instance is'));
  });
});
