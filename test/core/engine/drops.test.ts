import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
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
  workflow,
} from "../../../mod.ts";
import { activationKey, stepOf } from "../../../src/core/engine/activation.ts";
import { encodeControl } from "../../../src/core/engine/control.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { Progress } from "../../../src/core/engine/progress.ts";
import { atRandom, droppable, execute, isFair } from "../graph/proof/executor.ts";
import { numbers, randomDrops } from "../graph/proof/random_graphs.ts";
import { ending, run } from "./runs.ts";
import { runs } from "../property_runs.ts";

const undecided = () => {
  throw new Error("There is no choice");
};

const keys = (progress: Progress) => ({
  applied: progress.applied.map(({ ending }) => activationKey(ending)),
  started: progress.started.map(activationKey),
  withdrawn: progress.withdrawn.map((one) => `${activationKey(one)} by ${one.cause}`),
  ignored: progress.ignored.map(activationKey),
});

describe("the engine, where branches are dropped", () => {
  it("starts what an executor without activations starts, in whatever order steps end", () => {
    const property = fc.property(randomDrops(), fc.nat(), (workflow, seed) => {
      const pick = numbers(seed);
      const maybe = droppable(workflow);
      const certain = (names: Iterable<string>) =>
        [...names].filter((name) => !maybe.has(name)).sort();
      for (let round = 0; round < 5; round++) {
        const choices = atRandom(workflow, pick(2 ** 30));
        const expected = execute(workflow, choices, pick);

        const one = run(workflow, choices, pick);

        if (!isFair(workflow)) continue;
        assertEquals(one.progress.status, expected.usedUp ? "failed" : "completed");
        if (expected.usedUp) continue;
        assertEquals(certain([...one.applied.keys()].map(stepOf)), certain(expected.started));
      }
    });
    fc.assert(property, { numRuns: runs(200), includeErrorInReport: true });
  });

  const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
  const [a, b, c, d] = [work.as("a"), work.as("b"), work.as("c"), work.as("d")];
  const wait = signal("wait", { events: { ok: type(), no: type() } });
  const day = timer("day", "1d");

  const reminded = () =>
    workflow("reminded", { key: "id", input: type(), start: a })
      .on(a, { ok: [wait, day], no: done })
      .on(wait, { ok: [b, drop(day)], no: [done, drop(day)] })
      .on(day, { elapsed: c })
      .on(c, { ok: d, no: done })
      .on(d, { ok: done, no: done })
      .on(b, { ok: done, no: done })
      .build().graph;

  it("withdraws what is active of the branch, and what still comes for it is late", () => {
    const graph = reminded();
    const first = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);
    const second = advance(graph, first.control, [ending("day", 1, "elapsed")], undecided);
    assertEquals(keys(second).started, ["c"]);

    const third = advance(graph, second.control, [ending("wait", 1)], undecided);
    assertEquals(keys(third), {
      applied: ["wait"],
      started: ["b"],
      withdrawn: ["c by wait"],
      ignored: [],
    });
    assertEquals(encodeControl(third.control), `{"active":{"b":"wait"},"dropped":["day"]}`);

    const late = advance(graph, third.control, [ending("c", 1)], undecided);
    assertEquals(keys(late), { applied: [], started: [], withdrawn: [], ignored: ["c"] });
    assertEquals(advance(graph, late.control, [ending("b", 1)], undecided).status, "completed");
  });

  it("goes by the rows where both come in one turn", () => {
    const graph = reminded();
    const first = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);

    const both = [ending("day", 1, "elapsed"), ending("wait", 1)];
    assertEquals(keys(advance(graph, first.control, both, undecided)), {
      applied: ["wait"],
      started: ["b"],
      withdrawn: ["day by wait"],
      ignored: ["day"],
    });
  });

  it("ends a path that only drops, and the instance with it", () => {
    const graph = reminded();
    const first = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);

    const last = advance(graph, first.control, [ending("wait", 1, "no")], undecided);
    assertEquals([last.status, keys(last).withdrawn], ["completed", ["day by wait"]]);
  });

  it("lets a choice decide once all that stands beside it has started", () => {
    const pick = choice("pick", { events: { one: type() }, decide: ({ emit }) => emit.one() });
    const { graph } = workflow("picked", { key: "id", input: type(), start: a })
      .on(a, { ok: [pick, day], no: done })
      .on(pick, { one: [b, drop(day)] })
      .on(day, { elapsed: done })
      .on(b, { ok: done, no: done })
      .build();
    const decide = () => ({ event: "one", output: undefined, metadata: undefined });

    const next = advance(graph, open(graph, decide).control, [ending("a", 1)], decide);
    assertEquals(keys(next), {
      applied: ["a", "pick"],
      started: ["b"],
      withdrawn: ["day by pick"],
      ignored: [],
    });
  });

  it("lets choices decide in row order, in whatever order a row starts them", () => {
    const either = choice("either", { events: { go: type() }, decide: ({ emit }) => emit.go() });
    const [first, second] = [either.as("first"), either.as("second")];
    const { graph } = workflow("flow", { key: "id", input: type(), start: a })
      .on(a, { ok: [second, first], no: done })
      .on(first, { go: [b, drop(second)] })
      .on(second, { go: done })
      .on(b, { ok: done, no: done })
      .build();
    const decide = () => ({ event: "go", output: undefined, metadata: undefined });

    const next = advance(graph, open(graph, decide).control, [ending("a", 1)], decide);
    assertEquals(keys(next).withdrawn, ["second by first"]);
  });

  it("ignores a delivery that was kept for a wait of the branch", () => {
    const { graph } = workflow("kept", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: [done, drop(c)], no: done })
      .on(c, { ok: wait, no: done })
      .on(wait, { ok: done, no: done })
      .build();
    const first = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);
    const early = advance(graph, first.control, [ending("wait", 1)], undecided);
    assertEquals([...early.control.early], ["wait"]);
    const met = advance(graph, early.control, [ending("c", 1)], undecided);
    assertEquals([met.wake, keys(met).started], [true, ["wait"]]);

    const over = advance(graph, met.control, [ending("b", 1)], undecided);
    assertEquals([over.status, keys(over).ignored], ["completed", ["wait"]]);
  });

  it("ignores a delivery for a wait of the branch that will not begin any more", () => {
    const { graph } = workflow("never", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, c], no: done })
      .on(b, { ok: [d, drop(c)], no: done })
      .on(c, { ok: wait, no: done })
      .on(d, { ok: done, no: done })
      .on(wait, { ok: done, no: done })
      .build();
    const first = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);
    const early = advance(graph, first.control, [ending("wait", 1)], undecided);
    const dropped = advance(graph, early.control, [ending("b", 1)], undecided);
    assertEquals([keys(dropped).ignored, [...dropped.control.early]], [["wait"], []]);

    const late = advance(graph, dropped.control, [ending("wait", 1)], undecided);
    assertEquals([keys(late).ignored, late.kept], [["wait"], []]);
  });

  it("forgets arrivals at a join of the branch, and begins it anew in the next round", () => {
    const { graph } = workflow("rounds", { key: "id", input: type(), start: a })
      .on(a, { ok: [b, wait], no: done })
      .on(b, { ok: [work, drop(wait)], no: [work, drop(wait)] })
      .on(work, { ok: again(a, { limit: 2, then: done }), no: done })
      .on(wait, { ok: [c, day], no: done })
      .on(c, { ok: join(d), no: done })
      .on(day, { elapsed: join(d) })
      .on(d, { ok: done, no: done })
      .build();
    assertEquals([...graph.body("a")], ["a", "b", "work", "wait", "c", "day", "d"]);
    let control = open(graph, undecided).control;
    const end = (name: string, event?: string) => {
      const progress = advance(
        graph,
        control,
        [ending(name, control.active.get(name)!.activation, event)],
        undecided,
      );
      control = progress.control;
      return progress;
    };
    for (const name of ["a", "wait", "c"]) end(name);
    assertEquals(control.arrived.get("d"), 1);
    assertEquals(keys(end("b")).withdrawn, ["day by b"]);
    assertEquals([control.arrived.size, [...control.dropped]], [0, ["wait"]]);
    end("work");
    assertEquals(control.dropped.size, 0);
    for (const name of ["a", "wait", "c"]) end(name);

    assertEquals(keys(end("day", "elapsed")).started, ["d#2"]);
  });
});
