import { assert, assertEquals } from "@std/assert";
import { done, drop, signal, step, timer, type, workflow } from "../../mod.ts";
import { doctor } from "../../src/postgres/mod.ts";
import { simulate } from "../../src/testing/mod.ts";
import { eventually, everywhere, keeping } from "../everywhere.ts";

const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const [left, right] = [begin.as("left"), begin.as("right")];
const approval = signal("approval", { events: { yes: type() } });
const day = timer("day", "1d");

everywhere("an instance with a deadline", (it) => {
  const waits = workflow("waits", { key: "id", input: type(), start: begin, deadline: "300ms" })
    .on(begin, { ok: [approval, day] })
    .on(approval, { yes: [done, drop(day)] })
    .on(day, { elapsed: done })
    .build();

  const logger = keeping();
  it(
    "fails when it has passed, and its waits end",
    { workflows: [waits], logger },
    async (world) => {
      const { hephaestus, work, jobs } = world;
      logger.said.length = 0;
      const ended: unknown[] = [];
      hephaestus.on("workflow:exception", ({ error }) => void ended.push(error.code));
      await work();
      const handle = await hephaestus.start(waits, "a", undefined);

      const { status, error } = await handle.result();

      assertEquals([status, error?.code], ["failed", "DEADLINE"]);
      const { insertedAt, finishedAt, active } = (await hephaestus.get(waits, "a"))!;
      const sentence = /^Cannot finish waits "id::a": its deadline (.*) has passed$/;
      const [, deadline = ""] = sentence.exec(error?.message ?? "") ?? [];
      assert(Math.abs(Date.parse(deadline) - insertedAt.getTime() - 300) < 2_000, error?.message);
      assert(finishedAt!.getTime() >= Date.parse(deadline), "it did not end before");
      assertEquals(active, []);
      assertEquals(ended, ["DEADLINE"]);
      assertEquals(
        logger.said.filter((line) => line.includes("its deadline has passed")).length,
        1,
      );
      const live = (await jobs()).filter(({ kind, state }) =>
        kind !== "advance" && state !== "cancelled"
      );
      assertEquals(live, []);
      const history = await hephaestus.history(waits, "a");
      assertEquals(history.map(({ step, event }) => `${step} ${event}`), ["begin ok"]);
    },
  );

  it("is final: a delivery is refused, and its key is free", { workflows: [waits] }, async (of) => {
    await of.work();
    await (await of.hephaestus.start(waits, "a", undefined)).result();

    const late = await of.hephaestus.resume(waits, "a", approval.emit.yes()).catch((error) =>
      error
    );

    assertEquals(late.code, "NOT_WAITING");
    const next = await of.hephaestus.start(waits, "a", undefined);
    await of.hephaestus.resume(waits, "a", approval.emit.yes());
    assertEquals((await next.result()).status, "completed");
  });

  let aborted: unknown;
  const hang = step("hang", {
    events: { ok: type() },
    run: ({ abortSignal }) =>
      new Promise((_, reject) =>
        abortSignal.addEventListener("abort", () => reject(aborted = abortSignal.reason))
      ),
  });
  const hangs = workflow("hangs", {
    key: "id",
    input: type<{ readonly ms: number }>(),
    start: hang,
    deadline: ({ input }) => `${input.ms}ms`,
  }).on(hang, { ok: done }).build();

  it("aborts the step that runs", { workflows: [hangs] }, async ({ hephaestus, work }) => {
    aborted = undefined;
    await work();
    const handle = await hephaestus.start(hangs, "a", { ms: 60 });

    const { error } = await handle.result();

    await eventually(() => Promise.resolve(aborted !== undefined), "it is aborted");
    assertEquals((aborted as Error).message, error?.message);
  });

  it("fails at its start when its time is none", { workflows: [hangs] }, async (world) => {
    const handle = await world.hephaestus.start(hangs, "a", { ms: -1 });

    const { status, error } = await handle.result();

    assertEquals([status, error?.code], ["failed", "INVALID_TIME"]);
    assertEquals(
      error?.message,
      `Cannot compute option "deadline" of workflow "hangs": cannot use duration "-1ms": it must be between 0 milliseconds and 36525 days`,
    );
    assertEquals(await world.jobs(), []);
  });

  const past = workflow("past", { key: "id", input: type(), start: begin, deadline: new Date(0) })
    .on(begin, { ok: approval })
    .on(approval, { yes: done })
    .build();

  it(
    "fails at once when it is in the past",
    { workflows: [past] },
    async ({ hephaestus, work }) => {
      await work();
      const handle = await hephaestus.start(past, "a", undefined);

      const { error } = await handle.result();

      assertEquals(
        error?.message,
        `Cannot finish past "id::a": its deadline 1970-01-01T00:00:00.000Z has passed`,
      );
    },
  );

  const quick = workflow("quick", { key: "id", input: type(), start: begin, deadline: "1d" })
    .on(begin, { ok: [left, right] })
    .on(left, { ok: done })
    .on(right, { ok: done })
    .build();

  it("waits for it, and the doctor finds nothing", { workflows: [waits] }, async (world) => {
    await world.hephaestus.start(waits, "a", undefined);

    const states = (await world.jobs()).map(({ step, state }) => `${step} ${state}`);

    assertEquals(states.toSorted(), ["!deadline scheduled", "begin available"]);
    if (world.url === undefined) return;
    assertEquals((await doctor({ url: world.url })).violations, []);
  });

  it("leaves no job when it completes before", { workflows: [quick] }, async (world) => {
    await world.work();
    const handle = await world.hephaestus.start(quick, "a", undefined);

    assertEquals((await handle.result()).status, "completed");
    await eventually(async () => (await world.jobs()).length === 0, "no job is left");
  });

  it("leaves only a cancelled job when it is cancelled, and none when it is deleted", {
    workflows: [quick],
  }, async ({ hephaestus, jobs }) => {
    await hephaestus.start(quick, "a", undefined);
    await hephaestus.cancel(quick, "a");
    await hephaestus.start(quick, "b", undefined);
    await hephaestus.deleteInstance(quick, "b", { force: true });

    const states = (await jobs()).map(({ step, state }) => `${step} ${state}`);

    assertEquals(states.toSorted(), ["!deadline cancelled", "begin cancelled"]);
  });
});

everywhere("the deadlines of many instances", (it) => {
  const many = workflow("many", { key: "id", input: type(), start: approval, deadline: "50ms" })
    .on(approval, { yes: done })
    .build();

  it("fail each of them once", { workflows: [many] }, async ({ hephaestus, work }) => {
    await work();
    await work();
    const items = Array.from({ length: 20 }, (_, at) => ({ key: `k${at}`, input: undefined }));

    const handles = await hephaestus.startMany(many, items);

    for (const handle of handles) assertEquals((await handle.result()).error?.code, "DEADLINE");
    assertEquals((await hephaestus.get(many, "k1"))?.revision, 2);
    assertEquals(simulate(many).unlimited, []);
  });
});
