import type { Graph, GraphStep } from "../graph/graph.ts";
import type { Control, InstanceStatus } from "./instance.ts";

/** The status of an instance that has neither failed nor undone everything. */
export function statusOf(
  graph: Graph,
  control: Pick<Control, "active" | "later" | "undo">,
): InstanceStatus {
  if (control.undo !== undefined) return "undoing";
  if (control.active.size === 0) return "completed";
  for (const name of control.active.keys()) {
    const step = graph.steps.get(name);
    if (step === undefined || !isWait(step, control)) return "running";
  }
  return "waiting";
}

/** Whether an active step waits for a delivery or for time and is not running any code. */
function isWait(step: GraphStep, control: Pick<Control, "later">): boolean {
  return step.kind === "signal" || step.kind === "timer" || control.later.has(step.name);
}
