import type { InstanceState } from "../../backend/store.ts";
import {
  type Activation,
  activationKey,
  isUndo,
  undoneStep,
  undoOf,
} from "../../core/engine/activation.ts";
import { goOn } from "../../core/engine/engine.ts";
import type { Control, HistoryEntry, UndoReason } from "../../core/engine/instance.ts";
import { FAILED, RETRIED } from "../../core/engine/progress.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { type Failure, failure } from "../../core/value/failure.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import type { Runtime } from "../runtime.ts";
import type { Placement } from "../turn/new_jobs.ts";
import { type Act, type PlannedAct, rowOf, turnOf } from "./acting.ts";

const none: readonly never[] = [];

/** Computes the turn that goes on with the undos that have failed. */
export function undoingAgain(
  runtime: Runtime,
  workflow: Workflow,
  state: InstanceState,
  history: readonly HistoryEntry[],
  act: Act,
  key: Activation,
  place: Placement,
): PlannedAct {
  const failed = failedUndos(history);
  if (failed.length === 0) throw notRetryable(state, "it has undone what its steps had done");
  const active: Control["active"] = new Map(failed.map(({ step, activation }) => {
    const cause = activationKey({ step: undoneStep(step), activation });
    return [step, { activation, cause }];
  }));
  const control = { ...state.control, active };
  const progress = goOn(workflow.graph, control, failed, none, () => undefined);
  const row = { ...act, restarted: failed.map(activationKey) };
  const turn = turnOf(runtime, {
    workflow,
    state,
    before: control,
    progress,
    row: rowOf(key, RETRIED, row),
    metadata: undefined,
    withdrawn: none,
    overdue: none,
    wakes: false,
  }, place);
  const why = state.control.undo && whyOf(state.control.undo, history);
  const error = why && JSON.stringify(why);
  return {
    progress,
    row,
    reopening: {
      uniqueKey: uniqueKey(workflow, state.key),
      unread: none,
      turn: { ...turn, error },
    },
  };
}

/** The undos that have failed, under names that have no result yet: `"~~charge"`. */
function failedUndos(history: readonly HistoryEntry[]): readonly Activation[] {
  const undos = history.filter(({ step, revision }) => isUndo(step) && revision !== undefined);
  const byUndone = new Map<string, HistoryEntry[]>();
  for (const undo of undos) {
    const key = activationKey({ ...undo, step: undoneStep(undo.step) });
    byUndone.set(key, [...byUndone.get(key) ?? none, undo]);
  }
  return [...byUndone.values()]
    .filter((tries) => tries.every(({ event }) => event === FAILED))
    .map((tries) => {
      const { step, activation } = tries[0]!;
      return { step: undoOf(undoneStep(step), tries.length), activation };
    });
}

/** Why the instance undoes, as its row had it before the undo failed. */
function whyOf(
  { status, step, message = "" }: UndoReason,
  history: readonly HistoryEntry[],
): Failure | undefined {
  if (status === "undone") return undefined;
  if (status === "cancelled") return failure(new HephaestusError("CANCELLED", message));
  const last = history.findLast((entry) => entry.step === step && entry.event === FAILED);
  return last?.errors.at(-1) ?? failure(new Error(message));
}
