import type { Graph } from "../graph/graph.ts";
import { failure } from "../value/failure.ts";
import { filtered } from "../value/filtered.ts";
import { activationBy } from "./activation.ts";
import { ControlDraft, over } from "./draft.ts";
import type { Control, InstanceStatus, UndoReason } from "./instance.ts";
import {
  type Ignored,
  type InstanceFailure,
  LATER,
  type Progress,
  type StepEnding,
  type Withdrawn,
} from "./progress.ts";
import { canBeUndone, longestMessage } from "./undo.ts";

const none: readonly never[] = [];

/** Ends an instance independently of its graph: no step is active afterwards. */
export function cancel(control: Control): Progress {
  return written("cancelled", over(control), keptIn(control), none, false);
}

/** Lets an instance undo what its steps have done before it is cancelled. */
export function cancelUndoing(graph: Graph, control: Control, message: string): Progress {
  return undoing(graph, control, { status: "cancelled", message }, () => false);
}

/**
 * Withdraws what is active and cannot be undone, or is new and has not begun. What has ended is not
 * known here, so the next turn begins with the undoing.
 */
function undoing(
  graph: Graph,
  control: Control,
  reason: UndoReason & { readonly message: string },
  isNew: (step: string) => boolean,
): Progress {
  const draft = new ControlDraft(control);
  draft.undo = { ...reason, message: reason.message.slice(0, longestMessage) };
  const isCutOff = (step: string) => isNew(step) || !canBeUndone(graph.steps.get(step));
  const withdrawn = draft.withdraw(isCutOff).map((one) => ({ ...one, cause: "" }));
  const ignored = draft.takeOverdue(() => true).map((one) => ({ ...one, waits: false }));
  return written("undoing", draft.done(), ignored, withdrawn, draft.active.size === 0);
}

function written(
  status: InstanceStatus,
  control: Control,
  ignored: readonly Ignored[],
  withdrawn: readonly Withdrawn[],
  wake: boolean,
): Progress {
  const nothing = { applied: none, kept: none, started: none, waiting: none, resolved: none };
  return { ...nothing, listed: none, control, status, ignored, withdrawn, wake, failed: undefined };
}

/**
 * Lets an instance fail for a reason that its graph does not know, after what a turn has done so
 * far: no step is active afterwards, unless it undoes what its steps have done first.
 */
export function fail(graph: Graph, progress: Progress, failed: InstanceFailure): Progress {
  if (progress.control.undoOn.has("failed")) return failUndoing(graph, progress, failed);
  return {
    ...cancel(progress.control),
    status: "failed",
    applied: progress.applied,
    listed: progress.listed,
    ignored: [...progress.ignored, ...keptIn(progress.control)],
    withdrawn: progress.withdrawn,
    resolved: progress.resolved,
    failed,
  };
}

function failUndoing(graph: Graph, progress: Progress, failed: InstanceFailure): Progress {
  const { message } = failed.failure ?? failure(failed.thrown);
  const begun = new Set(progress.started.map(({ step }) => step));
  const reason = { status: "failed", step: failed.step, message } as const;
  const next = undoing(graph, progress.control, reason, (step) => begun.has(step));
  return {
    ...next,
    applied: progress.applied,
    listed: progress.listed,
    ignored: [...progress.ignored, ...next.ignored],
    waiting: filtered(progress.waiting, ({ step }) => next.control.active.has(step)),
    withdrawn: [...progress.withdrawn, ...next.withdrawn],
    resolved: progress.resolved,
    failed,
  };
}

/** Early deliveries that were kept. */
export function keptIn({ early }: Pick<Control, "early">): readonly Ignored[] {
  return [...early].map((key) => ({ ...activationBy(key), waits: false }));
}

/** What is said of a result that will not be read. */
export function ignored({ step, activation, event }: StepEnding): Ignored {
  return { step, activation, waits: event === LATER };
}
