import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { activationBy, activationKey } from "../../../src/core/engine/activation.ts";
import { decodeControl, encodeControl } from "../../../src/core/engine/control.ts";
import { cancel } from "../../../src/core/engine/cancel.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { Control } from "../../../src/core/engine/instance.ts";
import type { Progress, StepEnding } from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { numbers, type Pick, randomWorkflow } from "../graph/proof/random_graphs.ts";

/** Choices take their first way. */
const decideIn = ({ graph }: Workflow) => ({ step }: { readonly step: string }) => {
  const [event = "none"] = graph.steps.get(step)!.moves.keys();
  return { event, output: undefined, metadata: undefined };
};

function ending(step: string, activation: number, event: string): StepEnding {
  return { step, activation, event, output: undefined, metadata: undefined };
}

/** The same control, in which what is active runs under another activation. */
function shifted(control: Control, activation: number): Control {
  const active = [...control.active].map(([step, { cause }]) =>
    [step, { activation, cause }] as const
  );
  return decodeControl(encodeControl({ ...control, active: new Map(active) }));
}

/** Ends what is active at random, a few times; the rest is active under the first activation. */
function halfWay(workflow: Workflow, pick: Pick): Control {
  const decide = decideIn(workflow);
  let { control } = open(workflow.graph, decide);
  for (let turns = pick(4); turns > 0 && control.active.size > 0; turns--) {
    const names = [...control.active.keys()];
    const step = names[pick(names.length)]!;
    const [event = "none"] = workflow.graph.steps.get(step)!.moves.keys();
    ({ control } = advance(workflow.graph, control, [ending(step, 1, event)], decide));
  }
  return control;
}

const names = (list: Progress["started"]) => list.map(({ step }) => step);

describe("activations", () => {
  it("are told apart in keys that are read back", () => {
    for (const [activation, key] of [[1, "a"], [2, "a#2"], [300, "a#300"]] as const) {
      assertEquals(activationKey({ step: "a", activation }), key);
      assertEquals(activationBy(key), { step: "a", activation });
    }
  });

  it("lead to the same as the first one, and are named in what follows", () => {
    const activation = fc.integer({ min: 2, max: 9 });
    fc.assert(fc.property(randomWorkflow(8), fc.integer(), activation, (workflow, seed, of) => {
      const pick = numbers(seed);
      const { graph } = workflow;
      const first = halfWay(workflow, pick);
      const other = shifted(first, of);
      const ends = [...first.active.keys()].filter(() => pick(2) === 0);
      const event = (step: string) => [...graph.steps.get(step)!.moves.keys()][0] ?? "none";
      const decide = decideIn(workflow);

      const expected = advance(
        graph,
        first,
        ends.map((step) => ending(step, 1, event(step))),
        decide,
      );
      const found = advance(
        graph,
        other,
        ends.map((step) => ending(step, of, event(step))),
        decide,
      );

      assertEquals(found.status, expected.status);
      assertEquals(names(found.started), names(expected.started));
      assertEquals(names(found.resolved), names(expected.resolved));
      assertEquals([...found.control.active.keys()], [...expected.control.active.keys()]);
      assertEquals(
        found.resolved.map(({ activation }) => activation),
        found.resolved.map(() => of),
      );
      const ended = (progress: Progress) => progress.applied.map(({ ending }) => ending.step);
      assertEquals(ended(found), ended(expected));
      for (const step of ends) assertEquals(found.control.activations.get(step), of);
      for (const { causes } of found.applied) {
        for (const cause of causes) {
          const { step, activation } = activationBy(cause);
          assertEquals(activation, ends.includes(step) ? of : 1, `${cause} among ${causes}`);
        }
      }
      for (const [step, { activation }] of found.control.active) {
        assertEquals(activation, first.active.has(step) ? of : 1);
      }
    }));
  });

  it("that are over take no ending any more", () => {
    fc.assert(fc.property(randomWorkflow(8), fc.integer(), (workflow, seed) => {
      const pick = numbers(seed);
      const control = shifted(halfWay(workflow, pick), 3);
      const late = [...control.active.keys()].map((step) => ending(step, 2, "ok"));

      const progress = advance(workflow.graph, control, late, decideIn(workflow));

      assertEquals([progress.applied, progress.kept], [[], []]);
      assertEquals(progress.ignored.length, late.length);
      assertEquals(encodeControl(progress.control), encodeControl(control));
    }));
  });

  it("that are still to come keep what is delivered for them", () => {
    const opened = (workflow: Workflow) => open(workflow.graph, decideIn(workflow)).control;
    const waits = randomWorkflow(5).filter((workflow) => opened(workflow).active.size > 0);
    const [workflow] = fc.sample(waits, 1) as [Workflow];
    const control = shifted(opened(workflow), 2);
    const [step = ""] = control.active.keys();

    const kept = advance(workflow.graph, control, [ending(step, 3, "ok")], decideIn(workflow));

    assertEquals([...kept.control.early], [`${step}#3`]);
    assertEquals(cancel(kept.control).ignored, [{ step, activation: 3, waits: false }]);
  });

  it("cost nothing in the control while all of them are the first", () => {
    const [workflow] = fc.sample(randomWorkflow(5), 1) as [Workflow];
    const { control } = open(workflow.graph, decideIn(workflow));
    assert(!encodeControl(control).includes("@"));
    assert(!encodeControl(control).includes("activations"));
  });
});
