import type { InstanceState } from "../../backend/store.ts";
import { activationKey } from "../../core/engine/activation.ts";
import { fold } from "../../core/engine/by_hand/fold.ts";
import { restart, startedAgain } from "../../core/engine/by_hand/restart.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { byHand, RETRIED } from "../../core/engine/progress.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import type { Runtime } from "../runtime.ts";
import { deciderOf } from "../each/decide.ts";
import type { Placement } from "../turn/new_jobs.ts";
import { timed } from "../turn/times.ts";
import {
  type Act,
  decidingIn,
  outputsOf,
  type PlannedAct,
  rowOf,
  starting,
  turnOf,
} from "./acting.ts";
import { neverBegun } from "./destination.ts";
import { resumed } from "./resumed.ts";
import { undoingAgain } from "./undoing_again.ts";
import { counting } from "./unread_items.ts";

const none: readonly never[] = [];

/**
 * Computes the turn that goes on with an instance that has failed. Throws when there is nothing to
 * go on with.
 */
export function retrying(
  runtime: Runtime,
  workflow: Workflow,
  state: InstanceState,
  history: readonly HistoryEntry[],
  act: Act,
  place: Placement,
): PlannedAct {
  const { graph } = workflow;
  const earlier = history.filter(({ step }) => step === byHand).length;
  const key = { step: byHand, activation: earlier + 1 };
  if (state.control.undo !== undefined) {
    return undoingAgain(runtime, workflow, state, history, act, key, place);
  }
  if (state.revision === 0) {
    throw notRetryable(state, neverBegun);
  }
  const past = fold(graph, history);
  const { progress: { control: folded, failed } } = past;
  if (failed !== undefined) {
    const { message } = failure(failed.thrown);
    throw notRetryable(state, `no step of it has failed. ${message}`);
  }
  const { metadata, undoOn, parent } = state.control;
  const known = { ...folded, metadata, undoOn, parent };
  const counted = counting(graph, known, past.applied, state, history);
  const { control } = counted;
  const { restarts, waits, unread } = resumed(graph, control, history);
  // A list that has nothing left to run ends in this turn, as the activation that it has from now
  // on.
  const now = startedAgain(graph, control, restarts);
  const outputs = outputsOf(graph, counted.history, counted.applied);
  const deciding = decidingIn(runtime, workflow, state, now, outputs, counted.history);
  const restarted = restart(graph, control, restarts, deciderOf(deciding));
  const progress = timed({ ...restarted, ...starting(graph, restarted, waits) }, deciding);
  if (progress.failed !== undefined) {
    const { step, thrown } = progress.failed;
    const what = graph.steps.get(step)?.kind ?? "step";
    const why = `${what} "${step}" failed again. ${failure(thrown).message}`;
    throw notRetryable(state, why, { cause: thrown });
  }
  const next = withStart(progress.control, state.metadata);
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  const row = { ...act, restarted: restarts.map(activationKey) };
  const turn = turnOf(runtime, {
    workflow,
    state,
    before: control,
    progress: { ...progress, control: next },
    row: rowOf(key, RETRIED, row),
    metadata: changed ? mergeMetadata(graph, next) : undefined,
    withdrawn: none,
    overdue: none,
    read: counted.read,
    wakes: unread.length > 0 || history.some((entry) => entry.state === "pending"),
  }, place);
  return {
    progress: restarted,
    row,
    reopening: { uniqueKey: uniqueKey(workflow, state.key), unread, turn },
  };
}
