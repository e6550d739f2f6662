import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { atRandom, droppable, everyChoice, execute, isFair } from "./executor.ts";
import { numbers, randomDrops, randomLoops, randomWorkflow } from "./random_graphs.ts";
import { runs } from "../../property_runs.ts";

describe("a workflow that the definition accepts", () => {
  for (
    const [which, workflows] of [["", randomWorkflow()], [" in loops", randomLoops()]] as const
  ) {
    it(`starts no step twice, none too early, and does not depend on the order${which}`, () => {
      fc.assert(
        fc.property(workflows, fc.nat(), (workflow, seed) => {
          const pick = numbers(seed);
          for (let round = 0; round < 12; round++) {
            const choices = atRandom(workflow, pick(2 ** 30));

            const one = execute(workflow, choices, pick);
            const other = execute(workflow, choices, pick);

            assertEquals([one.twice, one.unmet, one.inTheWay, one.lost], [[], [], [], []]);
            assertEquals(other, one);
          }
        }),
        { numRuns: runs(2_000) },
      );
    });
  }

  it("starts nothing that was dropped, and does not depend on when it was", () => {
    fc.assert(
      fc.property(randomDrops(), fc.nat(), (workflow, seed) => {
        const pick = numbers(seed);
        const maybe = droppable(workflow);
        const certain = ({ started }: { readonly started: readonly string[] }) =>
          started.filter((name) => !maybe.has(name));
        for (let round = 0; round < 12; round++) {
          const choices = atRandom(workflow, pick(2 ** 30));

          const one = execute(workflow, choices, pick);
          const other = execute(workflow, choices, pick);

          const wrong = [one.twice, one.unmet, one.inTheWay, one.dropped];
          assertEquals(wrong, [[], [], [], []]);
          if (isFair(workflow)) assertEquals(certain(other), certain(one));
        }
      }),
      { numRuns: runs(400) },
    );
  });

  it("can start every step in some run, a join too", () => {
    fc.assert(
      fc.property(randomWorkflow(8), (workflow) => {
        const never = new Set(workflow.graph.steps.keys());
        for (const choices of everyChoice(workflow)) {
          for (const name of execute(workflow, choices, () => 0).started) never.delete(name);
          if (never.size === 0) return;
        }
        assert(false, `${[...never]} cannot start`);
      }),
      { numRuns: runs(500) },
    );
  });
});
