import { assert, assertEquals } from "@std/assert";
import { done, signal, step, timer, type, workflow } from "../../mod.ts";
import type { World } from "../everywhere.ts";
import { eventually, everywhere } from "../everywhere.ts";

const nextYear = new Date(Date.UTC(new Date().getUTCFullYear() + 1, 0, 1, 12, 0, 0, 250));
const plan = step("plan", {
  input: type<{ readonly time: string }>(),
  events: { planned: type<{ readonly time: string }>() },
  run: ({ input, emit }) => emit.planned({ time: input.time }),
});
const needs = [plan.when("planned")] as const;
const after = step("after", { events: { ok: type() }, run: ({ emit }) => emit.ok() });

/** A time that a test gives as text: a point in time, or a duration. */
function read(text: string): Date {
  return text as unknown as Date;
}

async function waiting({ jobs }: World, name: string): Promise<Date> {
  let found: Date | undefined;
  await eventually(async () => {
    found = (await jobs()).find(({ step }) => step === name)?.scheduledAt;
    return found !== undefined;
  }, "it waits");
  return found!;
}

everywhere("a time that is computed", (it) => {
  let asked = 0;
  const pause = timer("pause", {
    needs,
    after({ steps }) {
      asked++;
      return steps.plan.time.includes("T") ? new Date(steps.plan.time) : read(steps.plan.time);
    },
  });
  const sleep = workflow("sleep", { key: "id", input: type<{ time: string }>(), start: plan })
    .on(plan, { planned: pause })
    .on(pause, { elapsed: after })
    .on(after, { ok: done })
    .build();

  it("is a point in time that is stored as it is", { workflows: [sleep] }, async (world) => {
    await world.work();
    asked = 0;
    await world.hephaestus.start(sleep, "a", { time: nextYear.toISOString() });

    assertEquals(await waiting(world, "pause"), nextYear);
    assertEquals(asked, 1);
  });

  it("is a duration from when the wait starts", { workflows: [sleep] }, async (world) => {
    await world.work();
    const before = Date.now();
    await world.hephaestus.start(sleep, "a", { time: "1d" });

    const due = (await waiting(world, "pause")).getTime() - 86_400_000;
    assert(Math.abs(due - before) < 60_000, `due ${due - before} ms after a day`);
  });

  it("is due at once when it is in the past, or 0", { workflows: [sleep] }, async (world) => {
    await world.work();
    for (const time of ["1812-06-24T00:00:00Z", "-200000-01-01T00:00:00Z", "0ms"]) {
      const handle = await world.hephaestus.start(sleep, "a", { time });
      assertEquals((await handle.result()).status, "completed");
    }
  });

  for (
    const [time, why] of [
      ["soon", 'cannot use duration "soon": expected one number and one unit'],
      ["T", "cannot use a Date that is not a valid time"],
      ["-1s", 'cannot use duration "-1s": it must be between 0 milliseconds and 36525 days'],
    ] as const
  ) {
    it(`fails the instance when it is ${time}`, { workflows: [sleep] }, async (world) => {
      await world.work();
      const handle = await world.hephaestus.start(sleep, "a", { time });

      const { status, error } = await handle.result();

      assertEquals([status, error?.code], ["failed", "INVALID_TIME"]);
      const sentence = `Cannot compute option "after" of timer "pause": ${why}`;
      assertEquals(error?.message.slice(0, sentence.length), sentence);
      const history = await world.hephaestus.history(sleep, "a");
      assertEquals(history.map(({ step, state }) => [step, state]), [["plan", "applied"]]);
    });
  }

  const first = signal("first", {
    input: type<{ readonly time: string }>(),
    events: { yes: type() },
    expires({ input }) {
      if (input.time === "") throw new RangeError("No time was given");
      return read(input.time);
    },
  });
  const ask = workflow("ask", { key: "id", input: type<{ time: string }>(), start: first })
    .on(first, { yes: done, expired: done })
    .build();

  it("ends the first wait of an instance", { workflows: [ask] }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(ask, "a", { time: "20ms" });

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(ask, "a")).map(({ event }) => event), ["expired"]);
  });

  it(
    "fails an instance that starts with it when it throws",
    { workflows: [ask] },
    async (world) => {
      const handle = await world.hephaestus.start(ask, "a", { time: "" });

      const { status, error } = await handle.result();

      assertEquals([status, error?.code], ["failed", "INVALID_TIME"]);
      assertEquals(
        [error?.message, (error?.cause as Error).message],
        [
          `Cannot compute option "expires" of signal "first": no time was given`,
          "No time was given",
        ],
      );
      assertEquals(await world.jobs(), []);
    },
  );

  const order = step("order", {
    needs,
    events: { done: type() },
    async: true,
    expires: ({ steps }) => read(steps.plan.time),
    run: ({ emit }) => emit.later(),
  });
  const buy = workflow("buy", { key: "id", input: type<{ time: string }>(), start: plan })
    .on(plan, { planned: order })
    .on(order, { done, expired: done })
    .build();

  it("ends the wait of an asynchronous step", { workflows: [buy] }, async (world) => {
    await world.work();
    const handle = await world.hephaestus.start(buy, "a", { time: "20ms" });

    assertEquals((await handle.result()).status, "completed");
    const history = await world.hephaestus.history(buy, "a");
    assertEquals(history.map(({ event }) => event), ["planned", "__async__", "expired"]);
  });

  const gate = signal("gate", { events: { open: type() } });
  const late = workflow("late", { key: "id", input: type<{ time: string }>(), start: plan })
    .on(plan, { planned: gate })
    .on(gate, { open: pause })
    .on(pause, { elapsed: done })
    .build();

  it("reads an output that this process has not seen", { workflows: [late] }, async (world) => {
    const worker = await world.work();
    await world.hephaestus.start(late, "a", { time: nextYear.toISOString() });
    await eventually(
      async () => (await world.hephaestus.get(late, "a"))?.active.includes("gate") === true,
      "it waits at the gate",
    );
    await worker.stop();
    const other = world.another();
    other.work({ poll: "100ms" });

    await other.resume(late, "a", gate.emit.open());

    assertEquals(await waiting(world, "pause"), nextYear);
  });
});

everywhere("a time limit that is computed", (it) => {
  const slow = step("slow", {
    needs,
    events: { ok: type() },
    retry: { attempts: 2, base: "1ms" },
    timeout: ({ steps }) =>
      steps.plan.time.includes("T") ? new Date(steps.plan.time) : read(steps.plan.time),
    run: ({ abortSignal }) =>
      new Promise((_, reject) => abortSignal.addEventListener("abort", () => reject(0))),
  });
  const flow = workflow("flow", { key: "id", input: type<{ time: string }>(), start: plan })
    .on(plan, { planned: slow })
    .on(slow, { ok: done })
    .build();

  for (const time of ["20ms", "1812-06-24T00:00:00Z"]) {
    it(`ends each attempt: ${time}`, { workflows: [flow] }, async ({ hephaestus, work }) => {
      await work();
      const handle = await hephaestus.start(flow, "a", { time });

      const { status, error } = await handle.result();

      assertEquals([status, error?.code], ["failed", "STEP_TIMEOUT"]);
      const failed = (await hephaestus.history(flow, "a")).find(({ step }) => step === "slow");
      assertEquals(failed?.attempts, 2);
    });
  }

  it("fails its step without another attempt when it throws", { workflows: [flow] }, async (of) => {
    await of.work();
    const handle = await of.hephaestus.start(flow, "a", { time: "soon" });

    const { status, error } = await handle.result();

    assertEquals([status, error?.code], ["failed", "INVALID_TIME"]);
    const failed = (await of.hephaestus.history(flow, "a")).find(({ step }) => step === "slow");
    assertEquals(failed?.attempts, 1);
  });
});
