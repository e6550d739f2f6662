import { latestOf } from "./control.ts";
import type { Graph } from "../graph/graph.ts";
import type { Control } from "./instance.ts";

const none: readonly never[] = [];

/**
 * What has started an active step, as the keys of activations: one, all that a join has brought
 * together, or none where the start did.
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
