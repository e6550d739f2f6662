import type { InstanceState, Reopening, StepOutput } from "../../backend/store.ts";
import type { Processed, Recorded, Turn } from "../../backend/turn.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import type { Folded, Retried } from "../../core/engine/by_hand/fold.ts";
import { encodeControl, isActive } from "../../core/engine/control.ts";
import type { Control, HistoryEntry } from "../../core/engine/instance.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { FAILED, ITEMS, LATER, type Progress } from "../../core/engine/progress.ts";
import type { Graph } from "../../core/graph/graph.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { JsonObject } from "../../core/value/json.ts";
import { othersOf } from "../child/others.ts";
import type { EachDeciding } from "../each/decide.ts";
import { itemsIn, listsIn, withOutcomes } from "../each/outcomes.ts";
import { OutputCache } from "../run/inputs.ts";
import type { Runtime } from "../runtime.ts";
import { jobsOf, type Placement, type Starting } from "../turn/new_jobs.ts";
import { wakeOf } from "../turn/plan.ts";
import { processed, recordedIn } from "../turn/rows.ts";
import type { TimedProgress } from "../turn/times.ts";

/** Who does something to an instance, and why. */
export type Act = Pick<Retried, "by" | "reason">;

/** What a person asks for, before it is written. */
export interface PlannedAct {
  readonly reopening: Reopening;
  readonly progress: Progress;
  /** What the row of it says. */
  readonly row: Retried;
}

/** The turn of an act, computed and not yet put together. */
export interface ActTurn {
  readonly workflow: Workflow;
  readonly state: InstanceState;
  /** What was active before the act. */
  readonly before: Control;
  readonly progress: TimedProgress;
  /** The row that records the act. */
  readonly row: Recorded;
  readonly metadata: JsonObject | undefined;
  /** What is not active any more. */
  readonly withdrawn: readonly Activation[];
  /** Deliveries that were kept and will not be read. */
  readonly overdue: readonly Activation[];
  /** Results of items that are counted after all. */
  readonly read?: readonly Processed[];
  readonly wakes: boolean;
}

const none: readonly never[] = [];

/** The turn of an act, with its jobs. */
export function turnOf(runtime: Runtime, of: ActTurn, place: Placement): Turn {
  const { workflow, state, before, progress, row, metadata, withdrawn, overdue } = of;
  const { read = none, wakes } = of;
  const dropped = withdrawn.map((one) => ({ ...one, cause: "" }));
  const { applied, listed } = progress;
  const ignored = [...progress.ignored, ...overdue.map((one) => ({ ...one, waits: false }))];
  return {
    instance: state.id,
    version: state.version,
    revision: state.revision,
    status: progress.status,
    control: encodeControl(progress.control),
    metadata: metadata && JSON.stringify(metadata),
    error: undefined,
    recorded: [
      row,
      ...recordedIn({ applied, withdrawn: [...dropped, ...progress.withdrawn], listed }),
    ],
    processed: [...read, ...ignored.map((one) => processed(one, one.waits, undefined))],
    settled: none,
    discarded: none,
    resolved: [...withdrawn, ...progress.resolved, ...progress.withdrawn],
    emptied: listsIn(workflow.graph, [...withdrawn, ...progress.withdrawn]),
    started: jobsOf(runtime, { workflow, instance: state.id }, progress, place),
    reused: undefined,
    wake: wakes ? wakeOf(runtime, workflow) : undefined,
    bare: false,
    others: othersOf(
      workflow.graph,
      { id: state.id, control: before },
      progress,
      runtime.queues.resume,
    ),
  };
}

/** The row that records an act. */
export function rowOf(key: Activation, event: string, output: Retried): Recorded {
  const nothing = { metadata: undefined, errors: undefined, duration: undefined };
  const text = JSON.stringify(output);
  return {
    result: { ...key, waits: false, event, output: text, attempt: 1, ...nothing },
    causes: none,
  };
}

/** The outputs of what has been applied and not been taken back. */
export function outputsOf(
  graph: Graph,
  history: readonly HistoryEntry[],
  applied: Folded["applied"],
): OutputCache {
  const standing = new Set(applied.map(({ ending }) => activationKey(ending)));
  const outputs = new OutputCache();
  for (const entry of withOutcomes(graph, endingsIn(history))) {
    if (standing.has(activationKey(entry))) outputs.set(entry);
  }
  return outputs;
}

function endingsIn(history: readonly HistoryEntry[]): readonly StepOutput[] {
  const isEnding = ({ revision, event }: HistoryEntry) =>
    revision !== undefined && event !== LATER && event !== ITEMS && event !== FAILED;
  return history.filter(isEnding).map((entry) => ({ ...entry, causes: none }));
}

/** What a decision reads in the turn of an act. */
export function decidingIn(
  { payloadLimit }: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  { input }: Pick<InstanceState, "input">,
  control: Control,
  outputs: OutputCache,
  history: readonly HistoryEntry[],
): EachDeciding {
  const items = itemsIn(endingsIn(history));
  return { workflow, input, control, outputs, payloadLimit, deaths: 0, items };
}

/** The steps of a turn that need jobs, with waits that go on. */
export function starting(
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

/** The metadata that an instance was started with. */
export function startedWith({ control, metadata }: InstanceState): JsonObject {
  return control.metadata.get("") ?? metadata;
}

/** A progress whose control has the metadata of the start, and the metadata of the instance. */
export function withMetadata(
  graph: Graph,
  progress: TimedProgress,
  start: JsonObject,
): { readonly progress: TimedProgress; readonly metadata: JsonObject } {
  const control = withStart(progress.control, start);
  const metadata = control.metadata.size === 0 ? start : mergeMetadata(graph, control);
  return { progress: { ...progress, control }, metadata };
}
