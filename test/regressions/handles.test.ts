import process from "node:process";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { done, HephaestusError, signal, step, type, workflow } from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

const approval = signal("approval", { events: { approved: type() } });
const ask = workflow("ask", { key: "id", input: type<number>(), start: approval })
  .on(approval, { approved: done })
  .build();

everywhere("a handle", (it) => {
  const broken = step("broken", {
    events: { ok: type() },
    retry: { attempts: 1 },
    run: () => {
      throw new RangeError("out of range");
    },
  });
  const fail = workflow("fail", { key: "id", input: type(), start: broken })
    .on(broken, { ok: done })
    .build();

  it("resolves with the final instance, whatever its status", { workflows: [ask, fail] }, async ({
    hephaestus,
    work,
  }) => {
    await work();
    const failed = await hephaestus.start(fail, "a", undefined);
    const completed = await hephaestus.start(ask, "a", 1);
    const cancelled = await hephaestus.start(ask, "b", 2);
    await hephaestus.resume(ask, "a", approval.emit.approved());
    await hephaestus.cancel(ask, "b", { reason: "no longer wanted" });

    assertEquals((await failed.result()).error?.message, "out of range");
    const { id, key, status, input, version } = await completed.result();
    assertEquals({ id, key, status, input, version }, {
      id: completed.id,
      key: "id::a",
      status: "completed",
      input: 1,
      version: 1,
    });
    const { status: end, error } = await cancelled.result();
    assertEquals(end, "cancelled");
    assertStringIncludes(error!.message, "no longer wanted");
  });

  it("of another process waits for the same end", { workflows: [ask] }, async ({
    hephaestus,
    work,
    another,
  }) => {
    await work();
    const other = another();
    await hephaestus.start(ask, "a", 1);

    const handle = await other.handle(ask, "a");
    await other.resume(ask, "a", approval.emit.approved());

    assertEquals((await handle!.result()).status, "completed");
    assertEquals(await other.handle(ask, "nobody"), undefined);
  });

  it("stops waiting when its signal or its engine says so, and the instance goes on", {
    workflows: [ask],
  }, async ({ hephaestus, another }) => {
    const other = another();
    await hephaestus.start(ask, "a", 1);
    const handle = (await other.handle(ask, "a"))!;
    const abort = new AbortController();
    const waiting = assertRejects(() => handle.result({ signal: abort.signal }), RangeError);
    const closing = assertRejects(() => handle.result(), HephaestusError, "the engine was closed");

    abort.abort(new RangeError("enough"));
    await waiting;
    await other.close();
    await closing;

    const status = (await hephaestus.get(ask, "a"))?.status;
    assertEquals(status, "waiting");
  });

  it("may wait beside many others without a warning of a leak", { workflows: [ask] }, async ({
    hephaestus,
  }) => {
    const warnings: string[] = [];
    const warned = ({ name }: Error) => void warnings.push(name);
    process.on("warning", warned);
    const handles = await Promise.all(
      Array.from({ length: 12 }, (_, n) => hephaestus.start(ask, `k${n}`, n)),
    );

    const results = Promise.all(handles.map((handle) => handle.result()));
    await Promise.all(handles.map(({ id }) => hephaestus.cancel(ask, { id })));
    await results;
    await new Promise((resolve) => setImmediate(resolve));

    process.off("warning", warned);
    assertEquals(warnings, []);
  });
});

everywhere("a worker", (it) => {
  let gate = new Gate();
  const attempts: number[] = [];
  const reasons: string[] = [];
  const long = step("long", {
    events: { ok: type() },
    retry: { attempts: 1 },
    async run({ emit, attempt, abortSignal }) {
      attempts.push(attempt);
      abortSignal.addEventListener("abort", () => reasons.push(abortSignal.reason.message));
      await gate.opened;
      abortSignal.throwIfAborted();
      return emit.ok();
    },
  });
  const flow = workflow("flow", { key: "id", input: type(), start: long })
    .on(long, { ok: done })
    .build();
  const fresh = () => {
    gate = new Gate();
    attempts.length = 0;
    reasons.length = 0;
  };

  it("gives back what it cannot finish in time, without using up an attempt", {
    workflows: [flow],
  }, async ({ hephaestus, work, another }) => {
    fresh();
    const other = another();
    const worker = await work();
    const handle = await hephaestus.start(flow, "a", undefined);
    await eventually(() => attempts.length === 1, "the step runs");

    await worker.stop({ grace: 0 });

    assertEquals(reasons, ["The process is stopping"]);
    gate.open();
    await other.work({ poll: "100ms" }).ready;
    assertEquals((await handle.result()).status, "completed");
    assertEquals(attempts, [1, 1]);
  });

  it("lets a running step end within its grace", { workflows: [flow] }, async ({
    hephaestus,
    work,
  }) => {
    fresh();
    const worker = await work();
    await hephaestus.start(flow, "a", undefined);
    await eventually(() => attempts.length === 1, "the step runs");

    const stopped = worker.stop({ grace: "1h" });
    gate.open();
    await stopped;

    assertEquals([attempts, reasons], [[1], []]);
    assertEquals((await hephaestus.history(flow, "a")).map(({ event }) => event), ["ok"]);
  });

  it("stops when its signal aborts, and at the end of its scope", { workflows: [flow] }, async ({
    hephaestus,
    sql,
  }) => {
    fresh();
    gate.open();
    const abort = new AbortController();
    const worker = hephaestus.work({ signal: abort.signal, poll: "100ms" });
    await worker.ready;
    abort.abort();
    {
      await using scoped = hephaestus.work({ poll: "100ms" });
      await scoped.ready;
    }
    for (let turns = 0; turns < 20; turns++) {
      const early = hephaestus.work({ poll: "100ms" });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await early.stop();
    }
    await hephaestus.work({ signal: abort.signal, poll: "100ms" }).stop();

    await hephaestus.start(flow, "a", undefined);

    assertEquals((await hephaestus.get(flow, "a"))?.status, "pending");
    await worker.stop();
    if (sql) assertEquals([...await sql`select id from hephaestus.processes`], []);
  });
});
