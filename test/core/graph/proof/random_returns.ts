import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { graph } from "../../../../src/core/graph/graph.ts";
import { prove } from "../../../../src/core/graph/proof/soundness.ts";
import type { Workflow } from "../../../../src/core/graph/workflow.ts";
import { atRandom, execute } from "./executor.ts";
import type { Pick } from "./random_graphs.ts";

/** The same workflow, returning these endings; `undefined` for none, or if the proof refuses them. */
export function returning(workflow: Workflow, endings: readonly string[]): Workflow | undefined {
  if (endings.length === 0) return undefined;
  const steps = [...workflow.graph.steps.values()].map((step) => ({
    ...step,
    returns: new Map(
      [...step.moves.keys()].filter((event) => endings.includes(`${step.name}.${event}`))
        .map((event) => [event, `${step.name}-${event}`] as const),
    ),
  }));
  const of = graph(steps);
  try {
    prove(of, workflow.steps, (why) => new WorkflowDefinitionError(why));
  } catch (error) {
    if (error instanceof WorkflowDefinitionError) return undefined;
    throw error;
  }
  return { ...workflow, graph: of };
}

/** How many of the endings of a run are returned. */
export function returnedIn({ graph }: Workflow, endings: readonly string[]): readonly string[] {
  return endings.filter((ending) => {
    const [name = "", event = ""] = ending.split(".");
    return graph.steps.get(name)?.returns.has(event);
  });
}

/**
 * Endings of which a few random runs have exactly one each, as far as that is possible. Other runs
 * may have none or several.
 */
export function plausible(workflow: Workflow, pick: Pick): readonly string[] {
  const runs = Array.from(
    { length: 2 + pick(10) },
    () => execute(workflow, atRandom(workflow, pick(2 ** 30)), pick),
  ).filter(({ usedUp }) => !usedUp).map(({ endings }) => new Set(endings));
  const chosen: string[] = [];
  for (const run of runs) {
    if (chosen.some((ending) => run.has(ending))) continue;
    const served = runs.filter((other) => chosen.some((ending) => other.has(ending)));
    const free = [...run].filter((ending) => !served.some((other) => other.has(ending)));
    const ending = free[pick(free.length)];
    if (ending !== undefined) chosen.push(ending);
  }
  return chosen;
}
