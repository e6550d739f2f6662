import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { again, done, first, join, signal, step, type, workflow } from "../../../mod.ts";
import { activationKey } from "../../../src/core/engine/activation.ts";
import { awaitedActivation, encodeControl } from "../../../src/core/engine/control.ts";
import { cancel } from "../../../src/core/engine/cancel.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { atRandom, execute } from "../graph/proof/executor.ts";
import { numbers, randomLoops } from "../graph/proof/random_graphs.ts";
import { ending, run } from "./runs.ts";
import { runs } from "../property_runs.ts";

describe("the engine, in loops", () => {
  it("starts what an executor without activations starts, in whatever order steps end", () => {
    const property = fc.property(randomLoops(), fc.nat(), (workflow, seed) => {
      const pick = numbers(seed);
      for (let round = 0; round < 5; round++) {
        const choices = atRandom(workflow, pick(2 ** 30));
        const expected = execute(workflow, choices, pick);

        const [one, other] = [run(workflow, choices, pick), run(workflow, choices, pick)];

        if (expected.usedUp) {
          assertEquals([one.progress.status, other.progress.status], ["failed", "failed"]);
          const { thrown } = one.progress.failed!;
          assertEquals((thrown as { readonly code?: string }).code, "ROUNDS_USED_UP");
          continue;
        }
        assertEquals([one.progress.status, other.progress.status], ["completed", "completed"]);
        assertEquals([...other.applied].sort(), [...one.applied].sort());
        const names = [...one.applied.keys()].map((key) => key.split("#")[0]!);
        assertEquals(names.sort(), expected.started);
      }
    });
    fc.assert(property, { numRuns: runs(1_000), includeErrorInReport: true });
  });

  const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
  const [a, b, c] = [work.as("a"), work.as("b"), work.as("c")];
  const wait = signal("wait", { events: { ok: type(), no: type() } });
  const undecided = () => {
    throw new Error("There is no choice");
  };

  it("count the rounds of an inner loop anew in each round of the outer one", () => {
    const { graph } = workflow("nested", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: b })
      .on(b, { ok: again(b, { limit: 3, then: c }), no: c })
      .on(c, { ok: again(a, { limit: 2, then: done }), no: done })
      .build();
    let progress = open(graph, undecided);
    const order: string[] = [];
    while (progress.control.active.size > 0) {
      const [[step, { activation }] = ["", { activation: 0 }]] = [...progress.control.active];
      order.push(activationKey({ step, activation }));
      progress = advance(graph, progress.control, [ending(step, activation)], undecided);
    }

    assertEquals(order, ["a", "b", "b#2", "b#3", "c", "a#2", "b#4", "b#5", "b#6", "c#2"]);
    assertEquals(
      encodeControl(progress.control),
      `{"active":{},"activations":{"b":6,"a":2,"c":2},"rounds":{"b":[4,2],"a":[1,1]}}`,
    );
  });

  it("keep a delivery for the round in which it came, and take none of an earlier round", () => {
    const { graph } = loop();
    const opened = open(graph, undecided).control;
    assertEquals(awaitedActivation(graph, opened, "wait"), 1);
    const kept = advance(graph, opened, [ending("wait", 1)], undecided).control;
    assertEquals([...kept.early], ["wait"]);

    const over = advance(graph, kept, [ending("a", 1, "no")], undecided);
    assertEquals(over.ignored, [{ step: "wait", activation: 1, waits: false }]);
    assertEquals([...over.control.early], []);
    assertEquals(awaitedActivation(graph, over.control, "wait"), 2);
    const late = advance(graph, over.control, [ending("wait", 1)], undecided);
    assertEquals([late.kept, late.applied], [[], []]);
    assertEquals(late.ignored, [{ step: "wait", activation: 1, waits: false }]);

    const met = advance(graph, over.control, [ending("wait", 2), ending("a", 2)], undecided);
    assertEquals(met.applied.map(({ ending }) => activationKey(ending)), ["a#2", "wait#2"]);
    assertEquals(cancel(met.control).control.rounds.get("a"), { total: 2, since: 2 });
  });

  it("leave no delivery unread that comes in the turn that begins the next round", () => {
    const { graph } = loop();
    const opened = open(graph, undecided).control;

    const both = advance(graph, opened, [ending("wait", 1), ending("a", 1, "no")], undecided);

    assertEquals(both.kept, []);
    assertEquals(both.ignored, [{ step: "wait", activation: 1, waits: false }]);
    assertEquals([...both.control.active.keys()], ["a"]);
  });

  it("forget in a new round who has arrived at a join that another event has started", () => {
    const { graph } = workflow("either", { key: "id", input: type(), start: a })
      .on(a, { ok: [join(c), b], no: done })
      .on(b, { ok: c, no: join(c) })
      .on(c, { ok: again(a, { limit: 2, then: done }), no: done })
      .build();
    let { control } = open(graph, undecided);
    for (const step of ["a", "b", "c"]) {
      ({ control } = advance(graph, control, [ending(step, 1)], undecided));
    }

    const second = advance(graph, control, [ending("a", 2)], undecided);

    assertEquals([...second.control.active.keys()], ["b"]);
  });

  it("forget in a new round what first has started, but not for the step that it begins with", () => {
    const { graph } = workflow("once", { key: "id", input: type(), start: a })
      .on(a, { ok: [first(b), c], no: done })
      .on(c, { ok: first(b), no: done })
      .on(b, { ok: again(b, { limit: 2, then: done }), no: done })
      .build();
    const forked = advance(graph, open(graph, undecided).control, [ending("a", 1)], undecided);
    const twice = advance(graph, forked.control, [ending("b", 1)], undecided);

    const late = advance(graph, twice.control, [ending("c", 1)], undecided);

    assertEquals(late.started, []);
    assertEquals([...late.control.active.keys()], ["b"]);
  });

  /** A step that may run again before its wait begins. */
  function loop(): Workflow {
    return workflow("loop", { key: "id", input: type(), start: a })
      .on(a, { ok: wait, no: again(a, { limit: 3 }) })
      .on(wait, { ok: again(a, { limit: 3, then: done }), no: done })
      .build();
  }
});
