import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  choice,
  done,
  first,
  type Hephaestus,
  join,
  step,
  type,
  type Workflow,
  workflow,
} from "../../mod.ts";
import { everywhere, Gate } from "../everywhere.ts";

const jitter = () => new Promise<void>((resolve) => setTimeout(resolve, 5 * Math.random()));

const each = (count: number) => Array.from({ length: count }, (_, index) => index);

async function statuses(
  hephaestus: Hephaestus,
  { count, of }: { count: number; of: Workflow },
): Promise<ReadonlySet<string>> {
  const handles = await Promise.all(
    each(count).map((n) => hephaestus.start(of, `n${n}`, undefined)),
  );
  const signal = AbortSignal.timeout(30_000);
  const ends = await Promise.all(handles.map((handle) => handle.result({ signal })));
  return new Set(ends.map(({ status }) => status));
}

everywhere("a fan-out with jitter", (it) => {
  let runs: string[] = [];
  const work = step("work", {
    events: { ok: type() },
    async run({ emit, idempotencyKey }) {
      runs.push(idempotencyKey);
      await jitter();
      return emit.ok();
    },
  });
  const [a, b, c, d, e] = [work.as("a"), work.as("b"), work.as("c"), work.as("d"), work.as("e")];
  const end = work.as("end");
  const two = workflow("two", { key: "id", input: type(), start: work })
    .on(work, { ok: [a, b] })
    .on(a, { ok: join(end) })
    .on(b, { ok: join(end) })
    .on(end, { ok: done })
    .build();
  const five = workflow("five", { key: "id", input: type(), start: work })
    .on(work, { ok: [a, b, c, d, e] })
    .on(a, { ok: join(end) })
    .on(b, { ok: join(end) })
    .on(c, { ok: join(end) })
    .on(d, { ok: join(end) })
    .on(e, { ok: join(end) })
    .on(end, { ok: done })
    .build();
  const line = workflow("line", { key: "id", input: type(), start: work })
    .on(work, { ok: a })
    .on(a, { ok: b })
    .on(b, { ok: done })
    .build();

  for (
    const { of, count, steps } of [
      { of: two, count: 60, steps: 4 },
      { of: five, count: 60, steps: 7 },
      { of: line, count: 100, steps: 3 },
    ]
  ) {
    it(`never gets stuck and runs each step once (${of.name})`, { workflows: [of] }, async ({
      hephaestus,
      work,
    }) => {
      runs = [];
      await work({ queues: { default: 20 } });

      assertEquals([...await statuses(hephaestus, { count, of })], ["completed"]);

      assertEquals(runs.length, count * steps);
      assertEquals(new Set(runs).size, count * steps);
    });
  }

  it("is shared by two processes and still runs each step once", { workflows: [five] }, async ({
    hephaestus,
    work,
    another,
  }) => {
    runs = [];
    await work({ queues: { default: 3 } });
    const other = another();
    await other.work({ queues: { default: 3 }, poll: "100ms", grace: "1s" }).ready;

    assertEquals([...await statuses(hephaestus, { count: 30, of: five })], ["completed"]);

    assertEquals(runs.length, 30 * 7);
    assertEquals(new Set(runs).size, 30 * 7);
  });
});

everywhere("a merge", (it) => {
  const ran: string[] = [];
  const input = type<{ readonly way: "left" | "right" }>();
  const check = step("check", {
    input,
    events: { left: type(), right: type() },
    run: ({ input, emit }) => input.way === "left" ? emit.left() : emit.right(),
  });
  const road = step("road", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const [left, right] = [road.as("left"), road.as("right")];
  const merge = step("merge", {
    events: { merged: type() },
    run({ emit, instance }) {
      ran.push(instance.key);
      return emit.merged();
    },
  });
  const exclusive = workflow("exclusive", {
    key: "id",
    input,
    start: check,
  })
    .on(check, { left: left, right: right })
    .on(left, { ok: merge })
    .on(right, { ok: merge })
    .on(merge, { merged: done })
    .build();

  it(
    "of exclusive branches runs once and ends the run after it",
    { workflows: [exclusive] },
    async ({
      hephaestus,
      work,
    }) => {
      await work();
      for (const way of ["left", "right"] as const) {
        const handle = await hephaestus.start(exclusive, way, { way });

        const { status } = await handle.result();

        assertEquals(status, "completed");
        assertEquals((await hephaestus.history(exclusive, way)).map(({ step }) => step), [
          "check",
          way,
          "merge",
        ]);
      }
      assertEquals(ran.sort(), ["id::left", "id::right"]);
    },
  );
});

/** A fork whose arms end when the test says so: left fails, right succeeds. */
function forked(gates: { readonly left: Gate; readonly right: Gate }) {
  const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const left = step("left", {
    events: { ok: type(), bad: type() },
    run: async ({ emit }) => (await gates.left.opened, emit.bad()),
  });
  const right = step("right", {
    events: { ok: type(), bad: type() },
    run: async ({ emit }) => (await gates.right.opened, emit.ok()),
  });
  const settle = choice("settle", {
    needs: [left.outcome(), right.outcome()],
    events: { go: type(), stop: type<string>() },
    decide: ({ steps, emit }) =>
      steps.left.event === "ok" && steps.right.event === "ok"
        ? emit.go()
        : emit.stop(`${steps.left.event} ${steps.right.event}`),
  });
  const undone: string[] = [];
  const undo = step("undo", {
    events: { undone: type() },
    run: ({ emit, instance }) => (undone.push(instance.workflow), emit.undone()),
  });
  const joined = workflow("joined", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [left, right] })
    .on(left, { ok: join(settle), bad: join(settle) })
    .on(right, { ok: join(settle), bad: join(settle) })
    .on(settle, { go: done, stop: undo })
    .on(undo, { undone: done })
    .build();
  const raced = workflow("raced", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [left, right] })
    .on(left, { ok: first(undo), bad: first(undo) })
    .on(right, { ok: first(undo), bad: first(undo) })
    .on(undo, { undone: done })
    .build();
  return { joined, raced, undone };
}

everywhere("a failing branch", (it) => {
  for (const order of [["left", "right"], ["right", "left"]] as const) {
    const gates = { left: new Gate(), right: new Gate() };
    const { joined, raced, undone } = forked(gates);
    const name = `leads to the same end when ${order[0]} is first`;
    it(name, { workflows: [joined, raced] }, async ({ hephaestus, work }) => {
      const ended = new Gate();
      hephaestus.on("workflow:transition", ({ step }) => {
        if (step === order[0]) ended.open();
      });
      await work();
      const both = await Promise.all([
        hephaestus.start(joined, "a", undefined),
        hephaestus.start(raced, "a", undefined),
      ]);

      gates[order[0]].open();
      await ended.opened;
      gates[order[1]].open();
      const [one, other] = await Promise.all(both.map((handle) => handle.result()));

      assertEquals([one?.status, other?.status], ["completed", "completed"]);
      const told = await hephaestus.history(joined, "a");
      assertEquals(told.map(({ step, event }) => `${step}.${event}`).sort(), [
        "fork.ok",
        "left.bad",
        "right.ok",
        "settle.stop",
        "undo.undone",
      ]);
      assertEquals(told.find(({ step }) => step === "settle")?.output, "bad ok");
      const absorbed = await hephaestus.history(raced, "a");
      assertEquals(absorbed.map(({ step }) => step).sort(), ["fork", "left", "right", "undo"]);
      assertEquals(undone.sort(), ["joined", "raced"]);
    });
  }
});

everywhere("an event without a transition", (it) => {
  let runs = 0;
  const astray = step("astray", {
    events: { ok: type() },
    retry: { attempts: 2, base: "1ms" },
    run() {
      runs++;
      return { event: "lost", output: undefined } as never;
    },
  });
  const silent = workflow("silent", { key: "id", input: type(), start: astray })
    .on(astray, { ok: done })
    .build();
  const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const odd = choice("odd", { events: { ok: type() }, decide: () => ({ event: "lost" }) as never });
  const chosen = workflow("chosen", { key: "id", input: type(), start: begin })
    .on(begin, { ok: odd })
    .on(odd, { ok: done })
    .build();

  it("is a failure of the step, never a silent end", { workflows: [silent] }, async ({
    hephaestus,
    work,
  }) => {
    runs = 0;
    await work();
    const handle = await hephaestus.start(silent, "a", undefined);

    const { status, error } = await handle.result();

    assertEquals([status, runs], ["failed", 2]);
    assertStringIncludes(error!.message, 'it does not declare the event "lost"');
  });

  it(
    "of a choice fails the instance, and the result before it stands",
    { workflows: [chosen] },
    async ({
      hephaestus,
      work,
    }) => {
      await work();
      const handle = await hephaestus.start(chosen, "a", undefined);

      const { status, error } = await handle.result();

      assertEquals(status, "failed");
      assertStringIncludes(error!.message, 'it does not declare the event "lost"');
      const [only, ...others] = await hephaestus.history(chosen, "a");
      assert(only?.step === "begin" && only.state === "applied");
      assertEquals(others, []);
    },
  );
});
