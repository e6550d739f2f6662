import type { Graph } from "../../graph/graph.ts";
import { nextActivation } from "../control.ts";
import type { Control } from "../instance.ts";
import type { AppliedEnding } from "../progress.ts";
import { reach } from "./restart.ts";
import { refold } from "./taken_back.ts";

/** Where an instance begins that takes over results from another one. */
export interface ForkedFrom {
  /** Every active step has yet to start. */
  readonly control: Control;
  readonly applied: readonly AppliedEnding[];
}

/**
 * The control of an instance with results that it has taken over, in this order, to run a step
 * again. Their activations count: no number is used twice.
 */
export function forkedFrom(
  graph: Graph,
  endings: readonly Pick<AppliedEnding, "ending">[],
  to: string,
): ForkedFrom {
  const { control, applied } = refold(graph, endings);
  const reached = reach(graph, to);
  const restarted = new Map<string, number>();
  for (const { ending: { step, activation } } of applied) {
    const next = nextActivation(graph, control, step);
    const raised = Math.max(
      restarted.get(step) ?? 0,
      activation - next + (reached.has(step) ? 1 : 0),
    );
    if (raised > 0) restarted.set(step, raised);
  }
  return { control: { ...control, restarted }, applied };
}
