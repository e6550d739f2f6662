import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { again, done, step, type, workflow } from "../../../mod.ts";
import { cancel } from "../../../src/core/engine/cancel.ts";
import { encodeControl } from "../../../src/core/engine/control.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import { atRandom, execute } from "../graph/proof/executor.ts";
import { numbers, randomLoops, randomWorkflow } from "../graph/proof/random_graphs.ts";
import { plausible, returnedIn, returning } from "../graph/proof/random_returns.ts";
import { ending, run } from "./runs.ts";
import { runs } from "../property_runs.ts";

describe("the engine, where a workflow returns", () => {
  for (
    const [which, workflows] of [["", randomWorkflow()], [" in loops", randomLoops()]] as const
  ) {
    it(`keeps the outcome that an executor finds${which}`, () => {
      const property = fc.property(workflows, fc.nat(), (workflow, seed) => {
        const pick = numbers(seed);
        const made = returning(workflow, plausible(workflow, pick));
        if (made === undefined) return;
        const choices = atRandom(made, pick(2 ** 30));
        const { usedUp, endings } = execute(made, choices, pick);

        const { progress: { control } } = run(made, choices, pick);

        if (usedUp) return;
        const [expected] = returnedIn(made, endings).map((ending) => ending.replace(".", "-"));
        assertEquals(control.returned?.outcome, expected);
      });
      fc.assert(property, { numRuns: runs(500) });
    });
  }

  const work = step("work", { events: { ok: type(), no: type() }, run: ({ emit }) => emit.ok() });
  const [a, b] = [work.as("a"), work.as("b")];
  const undecided = () => {
    throw new Error("There is no choice");
  };

  it("writes the outcome with the activation, and no more than before without one", () => {
    const rows = workflow("w", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: done })
      .on(b, { ok: again(a, { limit: 2, then: done }), no: done });
    const texts = (of: typeof rows | ReturnType<typeof rows.returns>) => {
      const { graph } = of.build();
      let { control } = open(graph, undecided);
      const written: string[] = [];
      for (const name of ["a", "b", "a", "b"]) {
        const active = control.active.get(name)!;
        ({ control } = advance(graph, control, [ending(name, active.activation)], undecided));
        written.push(encodeControl(control));
      }
      return written;
    };
    const before = texts(rows);
    const after = texts(
      rows.returns({ aNo: a.when("no"), bOk: b.when("ok"), bNo: b.when("no") }),
    );

    assertEquals(after.slice(0, 3), before.slice(0, 3));
    const returned = ',"returned":["bOk","b",2]}';
    assertEquals(after.at(-1), before.at(-1)!.replace(/}$/, returned));
  });

  it("takes back in a new round what the last one has returned", () => {
    const { graph } = workflow("w", { key: "id", input: type(), start: a })
      .on(a, { ok: b, no: done })
      .on(b, { ok: again(a, { limit: 2, then: done }), no: done })
      .returns({ aNo: a.when("no"), bOk: b.when("ok"), bNo: b.when("no") })
      .build();
    const aBefore = { ...graph.steps.get("a")!, returns: new Map([["ok", "early"]]) };
    const steps = new Map([...graph.steps, ["a", aBefore]]);
    const early = { ...graph, steps };
    let progress = open(early, undecided);
    progress = advance(early, progress.control, [ending("a", 1)], undecided);
    assertEquals(progress.control.returned, { outcome: "early", step: "a", activation: 1 });
    assertEquals(cancel(progress.control).control.returned?.outcome, "early");

    progress = advance(early, progress.control, [ending("b", 1)], undecided);

    assertEquals(progress.control.returned, undefined);
  });
});
