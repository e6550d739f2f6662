import type { InstanceState, Reopening, StepOutput } from "../../backend/store.ts";
import type { Recorded } from "../../backend/turn.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { encodeControl, isActive } from "../../core/engine/control.ts";
import { isItem } from "../../core/each/items.ts";
import { restart } from "../../core/engine/engine.ts";
import { fold, type Retried } from "../../core/engine/fold.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import {
  byHand,
  FAILED,
  ITEMS,
  LATER,
  type Progress,
  RETRIED,
} from "../../core/engine/progress.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import { deciderOf, type ItemRows } from "../each/decide.ts";
import { withOutcomes } from "../each/outcomes.ts";
import { OutputCache } from "../run/inputs.ts";
import type { Runtime } from "../runtime.ts";
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
  const folded = fold(graph, history);
  if (folded.failed !== undefined) {
    const { message } = failure(folded.failed.thrown);
    throw notRetryable(state, `no step of it has failed. ${message}`);
  }
  const { metadata, undoOn } = state.control;
  const control = { ...folded.control, metadata, undoOn };
  const { restarts, waits, unread } = resumed(graph, control, history);
  const deciding = {
    workflow,
    input: state.input,
    control,
    outputs: outputsOf(graph, history),
    payloadLimit: runtime.payloadLimit,
    deaths: 0,
    items: itemsIn(history),
  };
  const restarted = restart(graph, control, restarts, deciderOf(deciding));
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
      },
    },
  };
}

function outputsOf(graph: Graph, history: readonly HistoryEntry[]): OutputCache {
  const outputs = new OutputCache();
  for (const entry of withOutcomes(graph, endingsIn(history))) outputs.set(entry);
  return outputs;
}

function endingsIn(history: readonly HistoryEntry[]): readonly StepOutput[] {
  const isEnding = ({ revision, event }: HistoryEntry) =>
    revision !== undefined && event !== LATER && event !== ITEMS && event !== FAILED;
  return history.filter(isEnding).map((entry) => ({ ...entry, causes: none }));
}

function itemsIn(history: readonly HistoryEntry[]): ItemRows {
  const items = new Map<string, StepOutput[]>();
  for (const entry of endingsIn(history)) {
    if (isItem(entry.step)) items.set(entry.step, [...items.get(entry.step) ?? none, entry]);
  }
  return items;
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
