import type { Graph } from "../graph/graph.ts";
import { activationBy } from "./activation.ts";
import { ControlDraft, over } from "./draft.ts";
import type { Control, InstanceStatus } from "./instance.ts";
import type { Ignored, Progress, Withdrawn } from "./progress.ts";
import { canBeUndone } from "./undo.ts";

const none: readonly never[] = [];

/** Ends an instance independently of its graph: no step is active afterwards. */
export function cancel(control: Control): Progress {
  return cancelled("cancelled", over(control), keptIn(control), none, false);
}

/**
 * Lets an instance undo what its steps have done before it is cancelled. What has ended is not known
 * here, so another turn has to begin with the undoing.
 */
export function cancelUndoing(graph: Graph, control: Control, message: string): Progress {
  const draft = new ControlDraft(control);
  draft.undo = { status: "cancelled", message };
  const withdrawn = draft.withdraw((step) => !canBeUndone(graph.steps.get(step)))
    .map((one) => ({ ...one, cause: "" }));
  const ignored = draft.takeOverdue(() => true).map((one) => ({ ...one, waits: false }));
  return cancelled("undoing", draft.done(), ignored, withdrawn, draft.active.size === 0);
}

function cancelled(
  status: InstanceStatus,
  control: Control,
  ignored: readonly Ignored[],
  withdrawn: readonly Withdrawn[],
  wake: boolean,
): Progress {
  const nothing = { applied: none, kept: none, started: none, waiting: none, resolved: none };
  return { ...nothing, control, status, ignored, withdrawn, wake, failed: undefined };
}

/** Early deliveries that were kept. */
export function keptIn({ early }: Pick<Control, "early">): readonly Ignored[] {
  return [...early].map((key) => ({ ...activationBy(key), waits: false }));
}
