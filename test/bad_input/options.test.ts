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
import { everywhere } from "../everywhere.ts";

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
  const how = ". Pass the workflows that this process has code for: workflows: [order]";

  it("says which option is missing or wrong", () => {
    refuses(undefined, "Cannot create an engine: its options are not an object");
    refuses(
      { backend: backend() },
      `Cannot create an engine: the option "workflows" is missing${how}`,
    );
    for (const workflows of [flow, null, "asking", new Set([flow])]) {
      refuses(
        { backend: backend(), workflows },
        `Cannot create an engine: the option "workflows" is not an array${how}`,
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
    among(undefined, "undefined. Modules that import each other can cause this");
    among(null, "null. Modules that import each other can cause this");
    among(ask, 'the step "ask". Create a workflow with workflow(...)');
    among("asking", "a string");
    among({ name: "asking" }, "not a workflow. Create one with workflow(...).build()");
  });

  it("refuses options that nobody reads", () => {
    const more = (option: object, why: string) =>
      refuses(
        { backend: backend(), workflows: [flow], ...option },
        `Cannot create an engine: ${why}`,
      );
    more({ poolsize: 3 }, 'there is no option "poolsize". Did you mean "poolSize"?');
    more({ workflow: [flow] }, 'there is no option "workflow". Did you mean "workflows"?');
    more({ connectionString: "" }, 'there is no option "connectionString"');
    more({ toString: 1 }, 'there is no option "toString"');
    const engine = new Hephaestus({ backend: backend(), workflows: [flow] });
    const error = assertThrows(() => engine.work({ pollInterval: 5 } as never), TypeError);
    assertEquals(error.message, 'Cannot start the worker: there is no option "pollInterval"');
  });

  it("refuses queues and policies of retries that nobody reads", () => {
    const more = (option: object, sentence: string) =>
      refuses({ backend: backend(), workflows: [flow], ...option }, sentence);
    more(
      { queues: { advnce: "x" } },
      'Cannot use the option queues: there is no option "advnce". Did you mean "advance"?',
    );
    more(
      { queues: { advance: "" } },
      "Cannot use the option queues: the queue of advance is not a string of 1 to 200 printable characters",
    );
    more(
      { retry: { retries: 3 } },
      'Cannot use the option retry: there is no option "retries". The options are attempts, backoff, base, max',
    );
  });

  it("refuses versions of one workflow whose keys differ", () => {
    const sentence = (member: string, one: string, other: string) =>
      `Cannot use version 2 of workflow "asking": its ${member} is "${other}", ` +
      `but that of version 1 is "${one}". All versions must share it`;
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
      'Cannot use business key "userid::abc123": "::" is a separator, ' +
        'and the keys of this workflow start with "id::"',
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
        `instance is cancelled (since ${finishedAt!.toISOString()})`,
    );

    await work();
    await (await hephaestus.start(expiring, "a", undefined)).result();
    const expired = await assertRejects(
      () => hephaestus.resume(expiring, "a", limited.emit.told()),
      NotWaitingError,
    );
    assertEquals(expired.event, "expired");
    assert(expired.message.includes('is not waiting, it ended with "expired", instance is'));
  });
});
