import type { Graph } from "../graph/graph.ts";
import { latestOf } from "./control.ts";
import type { Control } from "./instance.ts";

const none: readonly never[] = [];

/**
 * The keys of the activations that started an active step: one, all sources of a join, or none when
 * it is the first step.
 */
export function causesOf(
  graph: Graph,
  control: Pick<Control, "active" | "activations">,
  step: string,
): readonly string[] {
  const cause = control.active.get(step)?.cause;
  if (cause === "*") return graph.sources(step).map((source) => latestOf(control, source));
  return cause === undefined || cause === "" ? none : [cause];
}
