import type { InstanceState, Reopening } from "../../backend/store.ts";
import type { Recorded } from "../../backend/turn.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { encodeControl, isActive } from "../../core/engine/control.ts";
import { restart } from "../../core/engine/engine.ts";
import { fold, type Retried } from "../../core/engine/fold.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { byHand, FAILED, LATER, type Progress, RETRIED } from "../../core/engine/progress.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import { OutputCache } from "../run/inputs.ts";
import { othersOf } from "../child/others.ts";
import type { Runtime } from "../runtime.ts";
import { decider } from "../turn/decide.ts";
import { jobsOf, type Placement, type Starting } from "../turn/new_jobs.ts";
import { recordedIn, wakeOf } from "../turn/plan.ts";
import { timed } from "../turn/times.ts";
import { resumed } from "./resumed.ts";

/** Who retries an instance, and why. */
export type Act = Omit<Retried, "restarted">;

/** A retry before it is written. */
export interface PlannedRetry {
  readonly reopening: Reopening;
  readonly progress: Progress;
  readonly restarted: readonly string[];
}

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
): PlannedRetry {
  const { graph } = workflow;
  if (state.control.undo !== undefined) {
    throw notRetryable(state, "it has undone what its steps had done");
  }
  if (state.revision === 0) {
    throw notRetryable(state, "it has never begun. Start it again with what it can take");
  }
  const folded = fold(graph, history);
  if (folded.failed !== undefined) {
    const { message } = failure(folded.failed.thrown);
    throw notRetryable(state, `no step of it has failed. ${message}`);
  }
  const { metadata, undoOn, parent } = state.control;
  const control = { ...folded.control, metadata, undoOn, parent };
  const { restarts, waits, unread } = resumed(graph, control, history);
  const deciding = {
    workflow,
    input: state.input,
    control,
    outputs: outputsOf(history),
    payloadLimit: runtime.payloadLimit,
    deaths: 0,
  };
  const restarted = restart(graph, control, restarts, decider(deciding));
  const progress = timed({ ...restarted, ...starting(graph, restarted, waits) }, deciding);
  if (progress.failed !== undefined) {
    const { step, thrown } = progress.failed;
    const what = graph.steps.get(step)?.kind ?? "step";
    const why = `${what} "${step}" failed again. ${failure(thrown).message}`;
    throw notRetryable(state, why, { cause: thrown });
  }
  const next = withStart(progress.control, state.metadata);
  const keys = restarts.map(activationKey);
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  const wakes = unread.length > 0 || history.some((entry) => entry.state === "pending");
  return {
    progress: restarted,
    restarted: keys,
    reopening: {
      uniqueKey: uniqueKey(workflow, state.key),
      unread,
      turn: {
        instance: state.id,
        version: state.version,
        revision: state.revision,
        status: progress.status,
        control: encodeControl(next),
        metadata: changed ? JSON.stringify(mergeMetadata(graph, next)) : undefined,
        error: undefined,
        recorded: [rowOf({ ...act, restarted: keys }, history), ...recordedIn(progress)],
        processed: none,
        settled: none,
        discarded: none,
        resolved: none,
        started: jobsOf(runtime, { workflow, instance: state.id }, progress, place),
        reused: undefined,
        wake: wakes ? wakeOf(runtime, workflow) : undefined,
        bare: false,
        others: othersOf(graph, { id: state.id, control }, progress, runtime.queues.resume),
      },
    },
  };
}

function outputsOf(history: readonly HistoryEntry[]): OutputCache {
  const outputs = new OutputCache();
  for (const entry of history) {
    const isEnding = entry.revision !== undefined && entry.event !== LATER;
    if (isEnding && entry.event !== FAILED) outputs.set(entry);
  }
  return outputs;
}

function starting(
  graph: Graph,
  progress: Progress,
  waits: readonly Activation[],
): Pick<Starting, "started" | "waiting"> {
  const still = waits.filter((one) => isActive(progress.control, one));
  const isSignal = ({ step }: Activation) => graph.steps.get(step)?.kind === "signal";
  return {
    started: [...progress.started, ...still.filter(isSignal)],
    waiting: [...progress.waiting, ...still.filter((one) => !isSignal(one))],
  };
}

/** The row that records the retry. */
function rowOf(retried: Retried, history: readonly HistoryEntry[]): Recorded {
  const earlier = history.filter(({ step }) => step === byHand).length;
  const nothing = { metadata: undefined, errors: undefined, duration: undefined };
  const key = { step: byHand, activation: earlier + 1, waits: false };
  const output = JSON.stringify(retried);
  return { result: { ...key, event: RETRIED, output, attempt: 1, ...nothing }, causes: none };
}
