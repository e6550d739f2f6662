import { deadlineStep } from "../../backend/job.ts";
import type { InstanceState, UnreadResult } from "../../backend/store.ts";
import type { OtherJob, Processed, Recorded, Wake } from "../../backend/turn.ts";
import { activationKey } from "../../core/engine/activation.ts";
import { emptyControl, isActive } from "../../core/engine/control.ts";
import { isItem } from "../../core/each/items.ts";
import { advance, open } from "../../core/engine/engine.ts";
import { isFinal, type UndoReason } from "../../core/engine/instance.ts";
import { filtered } from "../../core/value/filtered.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import type { PastEnding, Progress } from "../../core/engine/progress.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { type Failure, failure, type FailureForm, inForm } from "../../core/value/failure.ts";
import { othersOf } from "../child/others.ts";
import type { OwnedJob } from "../host.ts";
import { load, OutputCache } from "../run/inputs.ts";
import type { LocalResult } from "../run/outcome.ts";
import type { Runtime } from "../runtime.ts";
import { deciderOf, type ItemRows } from "../each/decide.ts";
import { loadItems } from "../each/load.ts";
import { isMissing, MissingHistory, MissingOutputs } from "./decide.ts";
import type { CachedInstance } from "./instance_cache.ts";
import { processedIn, recordedIn } from "./rows.ts";
import { expired, timed, type TimedProgress, withDeadline } from "./times.ts";

/** A job whose turn is to be written; `result` is set if the job ran a step. */
export interface Submission {
  readonly job: OwnedJob;
  readonly result: LocalResult | undefined;
  /** How many turns with it were stale. */
  readonly tries: number;
}

/** The turn of one instance, before it has its jobs. */
export interface Plan {
  readonly workflow: Workflow;
  readonly outputs: OutputCache;
  readonly progress: TimedProgress;
  /** The state of the instance after the turn. */
  readonly next: InstanceState;
  /** JSON text; `undefined` when the metadata does not change. */
  readonly metadata: string | undefined;
  readonly recorded: readonly Recorded[];
  readonly processed: readonly Processed[];
  /** Why the instance undoes, if it begins to in this turn. */
  readonly begins: UndoReason | undefined;
  /** Jobs of its parent and its children. */
  readonly others: readonly OtherJob[] | undefined;
  /** The submissions whose jobs are done once the turn is written. */
  readonly included: readonly Submission[];
}

const none: readonly never[] = [];

/**
 * Plans a turn. First loads the outputs that its choices read and that are not cached, and the
 * history of an instance that undoes.
 */
export function planOrLoad(
  ...of: Parameters<typeof plan>
): Plan | undefined | Promise<Plan | undefined> {
  try {
    return plan(...of);
  } catch (error) {
    if (isMissing(error)) return planLoading(error, ...of);
    if (error instanceof MissingHistory) return planWithHistory(...of);
    throw error;
  }
}

/** The history is read after the instance. The revision refuses what others have added since. */
async function planWithHistory(
  ...[runtime, cached, submissions, unread, , items]: Parameters<typeof plan>
): Promise<Plan | undefined> {
  const history = cached && await runtime.backend.store.ended(cached.state.id, undefined);
  return planOrLoad(runtime, cached, submissions, unread, history, items);
}

async function planLoading(
  { steps }: MissingOutputs,
  ...of: Parameters<typeof plan>
): Promise<Plan | undefined> {
  const [runtime, cached, ...rest] = of;
  if (cached === undefined) throw new MissingOutputs(steps);
  const { state } = cached;
  const { graph } = runtime.registry.get(state.workflow, state.version);
  if (steps.some(isItem)) {
    const [submissions, unread, history, items] = rest;
    const more = await loadItems(runtime.backend.store, state, steps, items);
    return planOrLoad(runtime, cached, submissions, unread, history, more);
  }
  const outputs = await load(runtime.backend.store, graph, state, cached.outputs, steps);
  const found = steps.some((step) => outputs.latest(state.control, step) !== undefined);
  if (!found) throw new MissingOutputs(steps);
  return planOrLoad(runtime, { state, outputs }, ...rest);
}

/**
 * Plans the turn of one cached instance. Returns `undefined` if nothing would change: an advance
 * without new results writes nothing. Throws {@linkcode MissingOutputs} and
 * {@linkcode MissingHistory}.
 */
function plan(
  runtime: Runtime,
  cached: CachedInstance | undefined,
  submissions: readonly Submission[],
  unread: readonly UnreadResult[],
  history?: readonly PastEnding[],
  items?: ItemRows,
): Plan | undefined {
  // One that SQL has started has no turn before its first one.
  if (cached === undefined || cached.state.revision === 0) return undefined;
  const { state, outputs } = cached;
  const workflow = runtime.registry.get(state.workflow, state.version);
  const included = filtered(
    submissions,
    ({ job, result }) =>
      // A process that stops gives back jobs whose results it is about to write: the instance may
      // have been moved to another version since.
      result === undefined || (job.version === state.version && isActive(state.control, result)),
  );
  const ended = filtered(included, hasResult).map(({ result }) => result);
  const own = filtered(unread, ({ version }) => version === state.version);
  const deciding = {
    workflow,
    input: state.input,
    control: state.control,
    outputs,
    payloadLimit: runtime.payloadLimit,
    deaths: deathsOf(submissions),
    items,
  };
  const endings = own.length === 0 ? ended : [...ended, ...own];
  const advanced = advance(workflow.graph, state.control, endings, deciderOf(deciding), () => {
    if (history === undefined) throw new MissingHistory();
    return history;
  });
  if (isMissing(advanced.failed?.thrown)) throw advanced.failed.thrown;
  const due = submissions.find(({ job }) => job.step === deadlineStep);
  const within = timed(advanced, deciding);
  const progress = due === undefined ? within : expired(within, state, workflow, due.job);
  const read = processedIn(progress, unread, state);
  if (!changes(state, progress, read)) return undefined;
  const control = withStart(progress.control, state.metadata);
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  const metadata = changed ? mergeMetadata(workflow.graph, control) : undefined;
  return {
    workflow,
    outputs,
    progress,
    // Listed field by field instead of spread: V8 sometimes gives copies of copies a new shape,
    // which slows down all readers.
    next: {
      id: state.id,
      workflow: state.workflow,
      version: state.version,
      graph: state.graph,
      key: state.key,
      revision: state.revision + 1,
      status: progress.status,
      control,
      metadata: metadata ?? state.metadata,
      tags: state.tags,
      input: state.input,
      insertedAt: state.insertedAt,
    },
    metadata: metadata && JSON.stringify(metadata),
    recorded: recordedIn(progress),
    processed: read,
    begins: state.control.undo === undefined ? control.undo : undefined,
    others: othersOf(workflow.graph, state, progress, runtime.queues.resume),
    included,
  };
}

/** The submissions that a plan leaves out: their step has ended, or there is nothing to write. */
export function omitted(
  submissions: readonly Submission[],
  plan: Plan | undefined,
): readonly Submission[] {
  if (plan === undefined) return submissions;
  const { included } = plan;
  return included === submissions ? none : submissions.filter((one) => !included.includes(one));
}

function hasResult(
  submission: Submission,
): submission is Submission & { readonly result: LocalResult } {
  return submission.result !== undefined;
}

/** How often a process died during this advance. A step that has ended did not kill its process. */
function deathsOf(submissions: readonly Submission[]): number {
  let most = 0;
  for (const { job, result } of submissions) {
    if (result === undefined && job.deaths > most) most = job.deaths;
  }
  return most;
}

function changes(
  { control }: InstanceState,
  { applied, failed, kept, started, status }: Progress,
  processed: readonly Processed[],
): boolean {
  // A cancel has left it to this turn to begin with the undoing.
  if (control.undo !== undefined && (started.length > 0 || isFinal(status))) return true;
  return applied.length > 0 || failed !== undefined || processed.length > 0 ||
    kept.some((ending) => !control.early.has(activationKey(ending)));
}

/** The first turn of an instance: what its start writes in addition to its input. */
export function planOpening(
  { payloadLimit }: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  input: unknown,
): { readonly progress: TimedProgress; readonly recorded: readonly Recorded[] } {
  const outputs = new OutputCache();
  const deciding = { workflow, input, control: emptyControl, outputs, payloadLimit, deaths: 0 };
  const opened = timed(open(workflow.graph, deciderOf(deciding), workflow.undoOn), deciding);
  const progress = withDeadline(opened, deciding);
  return { progress, recorded: recordedIn(progress) };
}

/** Why an instance has failed; `form` says how much of it is written. */
export function failureOf(
  { failed }: Pick<Progress, "failed">,
  form: FailureForm = "whole",
): Failure | undefined {
  return failed && inForm(failed.failure ?? failure(failed.thrown), form);
}

/** Where the advance jobs of this workflow's instances go. */
export function wakeOf({ queues }: Pick<Runtime, "queues">, workflow: Workflow): Wake {
  return { queue: queues.advance, workflow: workflow.name, version: workflow.version };
}
