import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { done, Hephaestus, signal, type, workflow } from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { silent } from "../everywhere.ts";

const ask = signal("ask", { events: { told: type() } });
const unbuilt = workflow("asking", { key: "id", input: type(), start: ask }).on(ask, {
  told: done,
});
const flow = unbuilt.build();
const backend = () => memory();

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
      'Cannot start an instance: there is no option "onConfict". Did you mean "onConflict"?',
    );
    await refused(
      start,
      { onConflict: "retrun" },
      'Cannot start an instance: onConflict must be "reject", "return" or "replace", not "retrun"',
    );
    await refused(start, null, "Cannot start an instance: its options are not an object");
    await refused(
      (options) => engine.startMany(flow, [{ key: "b", input: undefined }], options),
      { onConflict: "return" },
      'Cannot start instances: there is no option "onConflict". The options are tx, version',
    );
    await refused(
      (options) => engine.cancel(flow, "a", options),
      { reasons: "x" },
      'Cannot cancel: there is no option "reasons". Did you mean "reason"?',
    );
    await refused(
      (options) => engine.deleteInstance(flow, "a", options),
      { forced: true },
      'Cannot delete: there is no option "forced". Did you mean "force"?',
    );
    await refused(
      (options) => engine.resume(flow, "a", ask.emit.told(), options),
      { after: "1s" },
      'Cannot resume: there is no option "after". The options are tx',
    );
    await refused(
      (options) => engine.scheduleResume(flow, "a", ask.emit.told(), options),
      undefined,
      "Cannot schedule a delivery: its options are not an object",
    );
    await refused(
      (options) => first.result(options),
      { timeout: "1s" },
      'Cannot wait for a result: there is no option "timeout". The options are signal',
    );
    await refused(
      list,
      { state: "running" },
      'Cannot list instances: there is no option "state". Did you mean "status"?',
    );
    await refused(
      list,
      { status: "runing" },
      'Cannot list instances: "runing" is not a status. Statuses are pending, running, waiting, undoing, completed, failed, cancelled, undone',
    );
    await refused(list, { tags: "x" }, "Cannot list instances: tags are not an array of strings");
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
        'Cannot get an instance of "asking": expected its key (a string) or { id }',
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
      'Cannot listen to "workflow:ended": there is no such event. Events are workflow:start,',
    );
    assertThrows(
      listen("workflow:stop", undefined),
      TypeError,
      'Cannot listen to "workflow:stop": the listener is not a function',
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
