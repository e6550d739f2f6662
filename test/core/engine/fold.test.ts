import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { choice, done, drop, step, type, workflow } from "../../../mod.ts";
import { fold } from "../../../src/core/engine/by_hand/fold.ts";
import { decodeControl, encodeControl } from "../../../src/core/engine/control.ts";
import { byHand, DROPPED, RETRIED } from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { numbers, randomDrops, randomLoops, randomWorkflow } from "../graph/proof/random_graphs.ts";
import { shown, Told } from "./told.ts";
import { runs } from "../property_runs.ts";

const seen = {
  folds: 0,
  retries: 0,
  usedUp: 0,
  loops: 0,
  drops: 0,
  early: 0,
  rewinds: 0,
  rewoundFailed: 0,
};

function tell(workflow: Workflow, seed: number): void {
  const told = new Told(workflow, numbers(seed));
  let progress = told.open();
  for (let turns = 0; turns < 2_000; turns++) {
    const control = decodeControl(encodeControl(progress.control));
    if (control.active.size === 0) return;
    // The fold reads all that came before, so it is not compared after every turn.
    if (turns % 3 === seed % 3) {
      const folded = fold(workflow.graph, told.history).progress;
      assertEquals([folded.failed, shown(folded.control)], [undefined, shown(control)]);
      seen.folds++;
    }
    if (control.rounds.size > 0) seen.loops++;
    if (control.dropped.size > 0) seen.drops++;
    if (control.early.size > 0) seen.early++;
    const rewound = told.rewinds < 2 && told.dice(6) === 0 && told.rewind(control, false);
    if (rewound) {
      seen.rewinds++;
      if (rewound.failed !== undefined) return;
      progress = rewound;
      continue;
    }
    progress = told.advance(control);
    if (progress.failed === undefined) continue;
    const again = fold(workflow.graph, told.history).progress;
    if (again.failed !== undefined) {
      assertEquals(again.failed.step, progress.failed.step);
      seen.usedUp++;
    } else assertEquals(shown(again.control), shown(told.without(control, progress)));
    const back = told.rewinds < 2 && told.dice(2) === 0 && told.rewind(again.control, true);
    if (back) {
      seen.rewoundFailed++;
      if (back.failed !== undefined) return;
      progress = back;
      continue;
    }
    if (again.failed !== undefined) return;
    progress = told.retry(again.control);
    seen.retries++;
    // What has failed at once is not written.
    if (progress.failed !== undefined) return;
  }
  throw new Error("The run does not end");
}

describe("the fold of a history", () => {
  it("is the state of the instance after each turn, and what it was when it failed", () => {
    const all = fc.oneof(randomWorkflow(), randomLoops(), randomDrops(), randomDrops());
    const property = fc.property(all, fc.nat(), tell);
    fc.assert(property, { numRuns: runs(300), includeErrorInReport: true });
    assertEquals(Object.entries(seen).filter(([, times]) => times === 0), []);
  });

  it("lets a choice decide in the turn in which it did, and not when it threw", () => {
    const go = { go: type() };
    const pick = choice("pick", { events: go, decide: ({ emit }) => emit.go() });
    const work = step("work", { events: go, run: ({ emit }) => emit.go() });
    const [a, b, c] = [work.as("a"), work.as("b"), work.as("c")];
    const { graph } = workflow("picking", { key: "id", input: type(), start: a })
      .on(a, { go: [pick, b] })
      .on(pick, { go: [c, drop(b)] })
      .on(b, { go: done })
      .on(c, { go: done })
      .build();
    const row = (step: string, activation: number, event: string, revision: number) => ({
      ...{ step, activation, event, revision, metadata: undefined },
      output: step === byHand ? { restarted: ["pick", "b#2"] } : undefined,
    });

    const { progress: { control } } = fold(graph, [
      row("a", 1, "go", 2),
      row(byHand, 1, RETRIED, 3),
      row("pick", 1, "go", 3),
      row("b", 2, DROPPED, 3),
    ]);

    assertEquals(
      encodeControl(control),
      '{"active":{"c":"pick"},"activations":{"b":2},"restarted":{"b":1},"dropped":["b"]}',
    );
  });
});
