import type { InstanceState, Reopening } from "../../backend/store.ts";
import type { Recorded, ResultKey } from "../../backend/turn.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import {
  activationOf,
  encodeControl,
  isActive,
  isDropped,
  nextActivation,
} from "../../core/engine/control.ts";
import { restart } from "../../core/engine/engine.ts";
import { fold, type Retried } from "../../core/engine/fold.ts";
import type { Control, HistoryEntry } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { byHand, FAILED, LATER, type Progress, RETRIED } from "../../core/engine/progress.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import { OutputCache } from "../run/inputs.ts";
import type { Runtime } from "../runtime.ts";
import { decider } from "./decide.ts";
import { jobsOf, type Placement, type Starting } from "./new_jobs.ts";
import { recordedIn, wakeOf } from "./plan.ts";

/** Who retries an instance, and why. */
export type Act = Omit<Retried, "restarted">;

/** A retry before it is written. */
export interface PlannedRetry {
  readonly reopening: Reopening;
  readonly progress: Progress;
  readonly restarted: readonly string[];
}

const none: readonly never[] = [];

/** What starts again, what goes on waiting, and the results that will be read after all. */
interface Resumed {
  readonly restarts: readonly Activation[];
  readonly waits: readonly Activation[];
  readonly unread: readonly ResultKey[];
}

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
  const folded = fold(graph, history);
  if (folded.failed !== undefined) {
    const { message } = failure(folded.failed.thrown);
    throw notRetryable(state, `no step of it has failed. ${message}`);
  }
  const control = { ...folded.control, metadata: state.control.metadata };
  const { restarts, waits, unread } = resumed(graph, control, history);
  const progress = restart(
    graph,
    control,
    restarts,
    decider({
      workflow,
      input: state.input,
      control,
      outputs: outputsOf(history),
      payloadLimit: runtime.payloadLimit,
      deaths: 0,
    }),
  );
  if (progress.failed !== undefined) {
    const { step, thrown } = progress.failed;
    const why = `choice "${step}" failed again. ${failure(thrown).message}`;
    throw notRetryable(state, why, { cause: thrown });
  }
  const next = withStart(progress.control, state.metadata);
  const restarted = restarts.map(activationKey);
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  const wakes = unread.length > 0 || history.some((entry) => entry.state === "pending");
  return {
    progress,
    restarted,
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
        recorded: [rowOf({ ...act, restarted }, history), ...recordedIn(progress)],
        processed: none,
        settled: none,
        discarded: none,
        resolved: none,
        started: jobsOf(
          runtime,
          { workflow, instance: state.id },
          starting(graph, progress, waits),
          place,
        ),
        reused: undefined,
        wake: wakes ? wakeOf(runtime, workflow) : undefined,
        bare: false,
      },
    },
  };
}

/**
 * What ran starts again under another activation, so that what its earlier attempt still says is
 * not taken for its result. What waits goes on under its own: links that were sent out stay valid.
 */
function resumed(graph: Graph, control: Control, history: readonly HistoryEntry[]): Resumed {
  const unread = history.filter((entry) => isAhead(graph, control, entry))
    .map(({ step, activation, event }) => ({ step, activation, waits: event === LATER }));
  const there = new Set(unread.map(activationKey));
  const restarts: Activation[] = [];
  const waits: Activation[] = [];
  for (const [step, { activation }] of control.active) {
    const kind = graph.steps.get(step)?.kind;
    if (there.has(activationKey({ step, activation }))) continue;
    if (kind === "choice") restarts.push({ step, activation });
    else if (kind === "signal" || control.later.has(step)) waits.push({ step, activation });
    else {
      const used = history.filter((entry) => entry.step === step).map((entry) => entry.activation);
      restarts.push({ step, activation: Math.max(activation, ...used) + 1 });
    }
  }
  return { restarts, waits, unread };
}

/** Whether a result that was not applied is one that the instance can still apply. */
function isAhead(graph: Graph, control: Control, entry: HistoryEntry): boolean {
  const { step, activation, event, revision } = entry;
  const definition = graph.steps.get(step);
  if (revision !== undefined || definition === undefined || event === FAILED) return false;
  if (isActive(control, entry)) {
    return event === LATER ? !control.later.has(step) : definition.moves.has(event);
  }
  return definition.moves.has(event) && !isDropped(graph, control, step) &&
    activation >= Math.max(activationOf(control, step), nextActivation(graph, control, step));
}

function outputsOf(history: readonly HistoryEntry[]): OutputCache {
  const outputs = new OutputCache();
  for (const entry of history) {
    const isEnding = entry.revision !== undefined && entry.event !== LATER;
    if (isEnding && entry.event !== FAILED) outputs.set(entry);
  }
  return outputs;
}

function starting(graph: Graph, progress: Progress, waits: readonly Activation[]): Starting {
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
