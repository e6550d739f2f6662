import type { Refuse } from "../../define/options.ts";
import { type BackEdge, type Graph, type GraphStep, reachable, targetsOf } from "../graph.ts";
import type { Entry } from "./drops.ts";
import { compatible, type Path } from "./paths.ts";
import { has } from "./row_set.ts";

/** An event that leads back, with every path on which it does. */
export interface BackEdgePaths {
  readonly from: GraphStep;
  readonly event: string;
  readonly loop: BackEdge;
  readonly paths: readonly Path[];
}

/**
 * Proves that a round begins in the state in which its first step began: that step has ended,
 * nothing else behind it is active, and nothing from outside leads into the loop. All other proofs
 * then hold for the last round.
 */
export function proveLoop(
  { from, event, loop, paths }: BackEdgePaths,
  graph: Graph,
  entries: readonly (readonly Entry[])[],
  refuse: Refuse,
): void {
  const what = `event "${from.name}.${event}" leads back to "${loop.to}"`;
  const steps = [...graph.steps.values()];
  const head = graph.steps.get(loop.to);
  if (head === undefined || !paths.every(({ ended }) => has(ended, head.index))) {
    throw refuse(`${what}, which has not ended on every path to it`);
  }
  if (decides(head, from, graph)) {
    throw refuse(`${what}, but only choices lie between them: each round would decide the same`);
  }
  const body = graph.body(head.name);
  for (const { name, index } of steps) {
    if (name === head.name) continue;
    for (const { from: source, paths: arriving } of entries[index] ?? []) {
      const before = steps[source]!.name;
      if (body.has(name) && !body.has(before)) {
        throw refuse(`${what}, but "${before}" leads into this loop at "${name}" from outside`);
      }
      // Whatever else is active was not started by the loop.
      if (!body.has(before)) continue;
      for (const path of paths) {
        if (has(path.ended, index) || has(path.gone, index)) continue;
        // What comes after this row comes in the last round, which does not lead back.
        const isActive = arriving.some((other) =>
          !has(other.ended, from.index) && compatible(path, other)
        );
        if (isActive) throw refuse(`${what} while "${name}" may be active`);
      }
    }
  }
}

/** Whether a path of choices leads from the first step of a loop to its last. */
function decides(head: GraphStep, last: GraphStep, graph: Graph): boolean {
  if (head.kind !== "choice" || last.kind !== "choice") return false;
  const choices = [...graph.steps.values()].filter(({ kind }) => kind === "choice");
  const ahead = new Map(choices.map((step) => [step.name, targetsOf(step)]));
  return reachable(head.name, ahead).has(last.name);
}
