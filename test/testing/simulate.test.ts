import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  again,
  choice,
  done,
  drop,
  join,
  signal,
  step,
  timer,
  type,
  versioned,
  workflow,
} from "../../mod.ts";
import type { Workflow } from "../../src/core/graph/workflow.ts";
import { simulate } from "../../src/testing/simulate.ts";
import { everyChoice, execute } from "../core/graph/proof/executor.ts";
import { randomLoops, randomWorkflow } from "../core/graph/proof/random_graphs.ts";

/** Every different run of a workflow without loops and drops, by an executor that knows nothing of the walk. */
function everyRun(flow: Workflow): ReadonlyMap<string, readonly string[]> {
  const runs = new Map<string, readonly string[]>();
  for (const choices of everyChoice(flow)) {
    const { started } = execute(flow, choices, () => 0);
    const roads = started.map((name) => `${name}.${choices(name, 1)}`);
    runs.set(roads.join(), roads);
  }
  return runs;
}

/**
 * How many runs a workflow with loops has, by the same executor; `undefined` for more than `most`.
 * Each choice is asked for when the run comes to it.
 */
function runsIn(flow: Workflow, most: number): number | undefined {
  let runs = 0;
  const scripts: (readonly string[])[] = [[]];
  for (let script = scripts.pop(); script !== undefined; script = scripts.pop()) {
    let asked: string | undefined;
    let at = 0;
    try {
      execute(flow, (name) => {
        asked = name;
        const event = script[at++];
        assert(event !== undefined);
        return event;
      }, () => 0);
      if (++runs > most) return undefined;
    } catch (error) {
      if (at <= script.length) throw error;
      const events = [...flow.graph.steps.get(asked!)!.moves.keys()];
      scripts.push(...events.map((event) => [...script, event]));
    }
  }
  return runs;
}

const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
const [a, b, c, d] = [work.as("a"), work.as("b"), work.as("c"), work.as("d")];
const wait = signal("wait", { events: { yes: type() } });
const limited = signal("limited", { events: { yes: type() }, expires: "1d" });
const day = timer("day", "1d");
const end = { ok: done, no: done } as const;

describe("simulate()", () => {
  it("finds the runs that there are, and how often each road is taken", () => {
    fc.assert(
      fc.property(randomWorkflow(8), (flow) => {
        const runs = everyRun(flow);
        const found = simulate(flow);

        assertEquals([found.runs, found.complete], [runs.size, true]);
        assertEquals(found.ends, { completed: runs.size, failed: 0, undone: 0 });
        const all = [...runs.values()];
        for (const { step, event, taken } of found.roads) {
          const expected = all.filter((roads) => roads.includes(`${step}.${event}`)).length;
          assertEquals(taken, expected, `${step}.${event}`);
        }
        assertEquals(found.longest.length, Math.max(...all.map((roads) => roads.length)));
      }),
      { numRuns: 300 },
    );
  });

  it("finds the runs that there are where loops overlap", () => {
    const flow = workflow("overlapping", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: done })
      .on(b, { ok: again(a, { limit: 2, then: c }), no: c })
      .on(c, { ok: again(b, { limit: 3, then: d }), no: done })
      .on(d, end)
      .build();

    const found = simulate(flow, { rounds: 3 });

    assertEquals(found.runs, runsIn(flow, 10_000));
  });

  it("finds the runs that there are in random loops", () => {
    const leads = ({ graph }: Workflow) =>
      [...graph.steps.values()].every(({ loops }) =>
        [...loops.values()].every(({ ends }) => !ends)
      );
    fc.assert(
      fc.property(randomLoops(6).filter(leads), (flow) => {
        const runs = runsIn(flow, 2_000);
        if (runs === undefined) return;

        const found = simulate(flow, { rounds: 3 });

        assertEquals([found.runs, found.complete], [runs, true]);
      }),
      { numRuns: 150 },
    );
  });

  it("walks loops as often as it is told, and to the limit where that is less", () => {
    const flow = workflow("polling", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: again(a, { limit: 3 }) })
      .on(b, end)
      .build();

    assertEquals(simulate(flow, { rounds: 1 }).ends, { completed: 2, failed: 1, undone: 0 });
    assertEquals(simulate(flow).ends, { completed: 4, failed: 1, undone: 0 });
    assertEquals(simulate(flow, { rounds: 9 }).ends, { completed: 6, failed: 1, undone: 0 });
    assertEquals(simulate(flow, { rounds: 9 }).longest, ["a", "a", "a", "b"]);
  });

  it("tries every order where a branch can be dropped", () => {
    const flow = workflow("racing", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: [done, drop(c)], no: [done, drop(c)] })
      .on(c, { ok: d, no: done })
      .on(d, end)
      .build();

    // a.no; b ends first (2); c.no and then b (2); c.ok, then b (2), or d (2) and then b (2 each).
    assertEquals(simulate(flow).runs, 1 + 2 + 2 + 2 + 4);
  });

  it("tries every order where a choice that an event leads to drops a branch", () => {
    const pick = choice("pick", { events: { one: type() }, decide: ({ emit }) => emit.one() });
    const flow = workflow("picking", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, day], no: done })
      .on(b, { ok: pick, no: pick })
      .on(pick, { one: [done, drop(day)] })
      .on(day, { elapsed: done })
      .build();

    assertEquals(simulate(flow).runs, 1 + 2 + 2);
  });

  it("names waits without a limit, unless something beside them goes on", () => {
    const flow = (start: typeof wait | typeof limited) =>
      workflow("waiting", { key: "id", input: type(), start: a })
        // deno-lint-ignore no-explicit-any -- one of two steps
        .on(a, { ok: [start, day] as any, no: done })
        // deno-lint-ignore no-explicit-any -- one of two steps
        .on(start as any, { yes: done, ...(start === limited ? { expired: done } : {}) } as any)
        .on(day, { elapsed: done })
        .build() as Workflow;
    const ended = workflow("ended", { key: "id", input: type(), start: a })
      .on(a, { ok: [wait, day], no: done })
      .on(wait, { yes: [done, drop(day)] })
      .on(day, { elapsed: [done, drop(wait)] })
      .build();

    assertEquals(simulate(flow(wait)).unlimited, ["wait"]);
    assertEquals(simulate(flow(limited)).unlimited, []);
    assertEquals(simulate(ended).unlimited, []);
  });

  it("names failures without a road, and walks those that have one", () => {
    const flow = workflow("failing", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: done, failed: c })
      .on(b, end)
      .on(c, end)
      .build();
    const { unhandled, roads } = simulate(flow);

    assertEquals(unhandled, ["b", "c"]);
    assertEquals(roads.find(({ event }) => event === "failed")?.taken, 2);
  });

  it("counts the runs that return each outcome", () => {
    const { outcomes, ends, toText } = simulate(
      workflow("returning", { key: "id", input: type(), start: a })
        .on(a, { ok: [b, c], no: d }).on(b, end).on(c, end)
        .on(d, { ok: done, no: again(a, { limit: 2 }) })
        .returns({ yes: b.when("ok"), no: b.when("no"), other: d.when("ok") }).build(),
    );

    const { yes, no, other } = outcomes;
    assertEquals({ yes, no, other }, { yes: 4, no: 4, other: 2 });
    assertEquals(ends, { completed: 10, failed: 1, undone: 0 });
    assert(toText().includes("\nreturns yes: 4\nreturns no: 4\nreturns other: 2\n"));
  });

  it("says that it has not seen all when it stops", () => {
    const { complete, runs, toText } = simulate(
      workflow("long", { key: "id", input: type(), start: a })
        .on(a, { ok: b, no: c }).on(b, { ok: d, no: d }).on(c, { ok: d, no: d }).on(d, end)
        .build(),
      { states: 3 },
    );

    assertEquals([complete, runs > 0], [false, true]);
    assert(toText().includes("not all: the walk has stopped"));
  });

  it("walks sixty rows with loops, forks and decisions in a bounded number of states", () => {
    // deno-lint-ignore no-explicit-any -- names that are made in a loop
    const [define, begin]: any[] = [step, workflow];
    const one = (name: string) =>
      define(name, { events: { ok: type(), no: type() }, run: () => undefined });
    const blocks = 12;
    let head = one("s0");
    let builder = begin("wide", { key: "id", input: type(), start: head });
    for (let at = 0; at < blocks; at++) {
      const [left, right, more, meet, next] = ["l", "r", "m", "j", "s"]
        .map((name) => one(`${name}${name === "s" ? at + 1 : at}`));
      builder = builder
        .on(head, { ok: [left, right], no: [left, right] })
        .on(left, { ok: more, no: more })
        .on(more, { ok: join(meet), no: join(meet) })
        .on(right, { ok: join(meet), no: join(meet) })
        .on(meet, { ok: next, no: again(head, { limit: 100, then: next }) });
      head = next;
    }
    const found = simulate(builder.on(head, end).build());

    assertEquals(found.complete, true);
    assertEquals(found.roads.filter(({ taken }) => taken === 0), []);
    assert(found.runs > 1e20);
    assertEquals(found.longest.length, blocks * 10 + 1);
  });

  it("walks forty choices in a row in about as many states", () => {
    // deno-lint-ignore no-explicit-any -- names that are made in a loop
    const [define, begin]: any[] = [choice, workflow];
    const events = { left: type(), right: type() };
    const row = Array.from({ length: 40 }, (_, at) =>
      define(`c${at}`, {
        events,
        decide: () => undefined,
      }));
    let builder = begin("decisions", { key: "id", input: type(), start: row[0] });
    for (const [at, one] of row.entries()) {
      const next = row[at + 1] ?? done;
      builder = builder.on(one, { left: next, right: next });
    }

    const found = simulate(builder.build(), { states: 50 });

    assertEquals([found.complete, found.runs], [true, 2 ** 40]);
  });

  it("prints what it has found", () => {
    const flow = workflow("order", { key: "id", input: type(), start: a })
      .on(a, { ok: wait, no: done })
      .on(wait, { yes: done })
      .build();

    assertEquals(
      simulate(flow).toText(),
      `order, version 1: 2 runs, at most 2 rounds of each loop
ends: 2 completed, 0 failed, 0 undone
longest: a → wait
waits without a limit: wait
failures without a road: a
roads, and how often they are taken:
  a.ok      1
  a.no      1
  wait.yes  1
`,
    );
  });

  it("refuses what it cannot walk", () => {
    const flow = workflow("order", { key: "id", input: type(), start: a }).on(a, end).build();
    const both = versioned("order", { versions: { 1: flow }, current: 1 });
    // deno-lint-ignore no-explicit-any -- plain JavaScript
    const walk: any = simulate;

    assertThrows(() => walk(a), TypeError, `Cannot simulate the workflow: it is the step "a"`);
    assertThrows(() => walk(both), TypeError, "Cannot simulate several versions at once");
    assertThrows(() => walk(flow, { rounds: 0 }), RangeError, `"rounds" is not a positive whole`);
    assertThrows(() => walk(flow, { round: 1 }), TypeError, "round");
  });
});
