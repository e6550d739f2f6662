import { failedEvent } from "../define/step_definition.ts";
import { undoneEvent } from "../define/undo.ts";
import { HephaestusError } from "../errors/errors.ts";
import type { Graph, GraphStep } from "../graph/graph.ts";
import { type Activation, activationKey, isUndo, undoneStep, undoOf } from "./activation.ts";
import type { ActiveStep, InstanceStatus, UndoReason } from "./instance.ts";
import { FAILED, type InstanceFailure, type PastEnding } from "./progress.ts";

/** How much of a message the control keeps. */
export const longestMessage = 1_000;

/** What of an instance has to be undone. */
export interface ToUndo {
  /** What can be undone now: everything that it has caused is undone. */
  readonly next: readonly Activation[];
  /** The undos that have failed for good. */
  readonly failed: readonly string[];
  /** Whether something is left that has not been undone. */
  readonly isLeft: boolean;
}

/** Whether a step can be undone, so that nothing may cut it off. */
export function canBeUndone(step: Pick<GraphStep, "undoable"> | undefined): boolean {
  return step !== undefined && step.undoable.size > 0;
}

/** Whether an activation has ended with an event that has something to undo. */
export function isUndoable(
  { steps }: Pick<Graph, "steps">,
  { step, event }: Pick<PastEnding, "step" | "event">,
): boolean {
  return steps.get(step)?.undoable.has(event === FAILED ? failedEvent : event) === true;
}

/**
 * Finds what to undo next. An activation is undone after everything that it has caused, and after
 * later activations of its step. What has not caused each other is undone in parallel.
 */
export function toUndo(
  graph: Pick<Graph, "steps">,
  history: readonly PastEnding[],
  active: ReadonlyMap<string, ActiveStep>,
): ToUndo {
  const causes = new Map<string, readonly string[]>();
  const undone = new Set<string>();
  const failed = new Map<string, string>();
  for (const one of history) {
    const { step, activation, event } = one;
    if (!isUndo(step)) causes.set(activationKey(one), one.causes);
    else if (event === undoneEvent) {
      undone.add(activationKey({ step: undoneStep(step), activation }));
    } else failed.set(activationKey({ step: undoneStep(step), activation }), undoneStep(step));
  }
  const left = history.filter((one) => isUndoable(graph, one) && !undone.has(activationKey(one)));
  const last = new Map<string, number>();
  for (const { step, activation } of left) {
    last.set(step, Math.max(activation, last.get(step) ?? 0));
  }
  for (const key of undone) failed.delete(key);
  const running = new Set([...active.keys()].filter(isUndo).map(undoneStep));
  const blocked = new Set<string>();
  for (const one of left) block(causes.get(activationKey(one)) ?? [], causes, blocked);
  const isNext = (one: PastEnding) => {
    const key = activationKey(one);
    return !blocked.has(key) && !failed.has(key) && last.get(one.step) === one.activation &&
      !running.has(one.step);
  };
  return { next: left.filter(isNext), failed: [...failed.values()], isLeft: left.length > 0 };
}

/** Starts what can be undone next. Returns how the undoing goes on, or has ended. */
export function undoNext(
  graph: Pick<Graph, "steps">,
  undo: UndoReason,
  history: readonly PastEnding[],
  active: Map<string, ActiveStep>,
  start: (one: Activation) => void,
): { readonly status: InstanceStatus; readonly failed?: InstanceFailure } {
  const { next, failed, isLeft } = toUndo(graph, history, active);
  for (const { step, activation } of next) {
    const started = { step: undoOf(step), activation };
    active.set(started.step, { activation, cause: activationKey({ step, activation }) });
    start(started);
  }
  if (active.size > 0) return { status: "undoing" };
  return isLeft ? { status: "failed", failed: undoFailed(failed, undo) } : { status: undo.status };
}

/** Marks what has caused something that is not undone. */
function block(
  from: readonly string[],
  causes: ReadonlyMap<string, readonly string[]>,
  blocked: Set<string>,
): void {
  const walk = [...from];
  for (let key = walk.pop(); key !== undefined; key = walk.pop()) {
    if (blocked.has(key)) continue;
    blocked.add(key);
    walk.push(...causes.get(key) ?? []);
  }
}

/** The failure of an instance that cannot undo what these steps have done. */
function undoFailed(
  steps: readonly string[],
  { status, message }: UndoReason,
): InstanceFailure {
  const names = [...new Set(steps)].map((step) => `"${step}"`).join(" and ");
  const thrown = new HephaestusError(
    "UNDO_FAILED",
    `Cannot undo ${names}: all attempts have failed. The history has their errors. ` +
      `What these steps were started by is not undone either`,
    {
      cause: message === undefined
        ? undefined
        : new Error(`The instance was ${status}: ${message}`),
    },
  );
  return { step: undoOf(steps[0] ?? ""), failure: undefined, thrown, attempts: 1 };
}
