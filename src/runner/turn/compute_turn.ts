import { emitter } from "../../core/define/emit.ts";
import {
  advance,
  type AppliedEnding,
  open,
  type Progress,
  type StepEnding,
} from "../../core/engine/engine.ts";
import { InvalidValueError } from "../../core/errors/errors.ts";
import { filtered } from "../../core/engine/filtered.ts";
import { mergeMetadata, withStart } from "../../core/engine/metadata.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import { mostDeaths } from "../../backend/job.ts";
import { failure, inAscii } from "../../core/value/failure.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { InstanceState, UnreadResult } from "../../backend/store.ts";
import type { AppliedResult, NewResult, Processed, Wake } from "../../backend/turn.ts";
import { checkDecision, type CheckedOutcome, stored } from "../run/outcome.ts";
import { OutputCache, readNeeds } from "../run/inputs.ts";
import type { Runtime } from "../runtime.ts";

/** A step that has ended in this process: its result is written together with the transition. */
export interface LocalResult extends StepEnding {
  readonly result: NewResult;
}

/** What a turn is computed from. */
export interface TurnInput {
  readonly workflow: Workflow;
  readonly known: InstanceState;
  readonly outputs: OutputCache;
  readonly ended: readonly LocalResult[];
  readonly unprocessed: readonly UnreadResult[];
  /** How often a process died that was computing it. */
  readonly deaths: number;
}

/** What a turn does, before it has its jobs. */
export interface Computed {
  readonly progress: Progress;
  /** What the instance is once the turn is written. */
  readonly next: InstanceState;
  /** JSON text; `undefined` when the metadata stays as it is. */
  readonly metadata: string | undefined;
  readonly recorded: readonly AppliedResult[];
  readonly processed: readonly Processed[];
}

/**
 * Some choice reads outputs that are not here: they must be loaded, then the turn is computed
 * again.
 */
export class MissingOutputs extends Error {
  readonly steps: readonly string[];
  constructor(steps: readonly string[]) {
    super(`Outputs of ${steps.join(", ")} are not loaded`);
    this.steps = steps;
  }
}

/** How large what is written may be. */
export type Limits = Pick<Runtime, "payloadLimit">;

const none: readonly never[] = [];

/** Applies what has ended to what is known. Throws {@linkcode MissingOutputs}. */
export function computeTurn(limits: Limits, input: TurnInput): Computed {
  const { workflow, known, ended, unprocessed, deaths } = input;
  const decide = decider(limits, workflow, known.input, input.outputs, deaths);
  const own = unprocessed.filter(({ version }) => version === known.version);
  const endings = own.length === 0 ? ended : [...ended, ...own];
  const progress = advance(workflow.graph, known.control, endings, decide);
  throwMissing(progress);
  const control = withStart(progress.control, known.metadata);
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  const metadata = changed ? mergeMetadata(workflow.graph, control) : undefined;
  return {
    progress,
    // Written out, and not spread: V8 gives copies of copies a new shape now and then, and all that
    // reads them slows down.
    next: {
      id: known.id,
      workflow: known.workflow,
      version: known.version,
      graph: known.graph,
      key: known.key,
      revision: known.revision + 1,
      status: progress.status,
      control,
      metadata: metadata ?? known.metadata,
      tags: known.tags,
      input: known.input,
      insertedAt: known.insertedAt,
    },
    metadata: metadata && JSON.stringify(metadata),
    recorded: recordedIn(progress),
    processed: processedIn(progress, unprocessed, known),
  };
}

/** The results that are written with the turn: of steps that have ended here, and of choices. */
function recordedIn({ applied }: Progress): readonly AppliedResult[] {
  return filtered(applied, hasEndedHere)
    .map(({ ending, causes }) => appliedResult(ending.result, causes));
}

function hasEndedHere(
  applied: AppliedEnding,
): applied is AppliedEnding & { readonly ending: LocalResult } {
  return isEnded(applied.ending);
}

function appliedResult(result: NewResult, causes: readonly string[]): AppliedResult {
  return {
    step: result.step,
    activation: result.activation,
    event: result.event,
    output: result.output,
    metadata: result.metadata,
    attempt: result.attempt,
    errors: result.errors,
    duration: result.duration,
    causes,
  };
}

/** What becomes of results that were there already. */
function processedIn(
  { applied, ignored }: Progress,
  unprocessed: readonly UnreadResult[],
  { version }: InstanceState,
): readonly Processed[] {
  if (unprocessed.length + ignored.length === 0) return none;
  const read = applied.filter(({ ending }) => !isEnded(ending));
  const foreign = unprocessed.filter((row) => row.version !== version);
  return [
    ...read.map(({ ending, causes }) => place(ending, causes)),
    ...[...ignored, ...foreign].map((ending) => place(ending, undefined)),
  ];
}

/** The first turn of an instance: what its start writes beside its input. */
export function computeOpening(
  limits: Limits,
  workflow: Workflow,
  input: unknown,
): {
  readonly progress: Progress;
  readonly recorded: readonly AppliedResult[];
  readonly error: string | undefined;
} {
  const progress = open(workflow.graph, decider(limits, workflow, input, new OutputCache()));
  return {
    progress,
    recorded: recordedIn(progress),
    error: thrown(progress),
  };
}

/** Where the advance of an instance of this workflow is put. */
export function wakeOf({ queues }: Pick<Runtime, "queues">, workflow: Workflow): Wake {
  return { queue: queues.advance, workflow: workflow.name, version: workflow.version };
}

/** Whether a turn would change anything: an advance that finds nothing new writes nothing. */
export function changes(known: InstanceState, { progress, processed }: Computed): boolean {
  return progress.applied.length > 0 || progress.thrown !== undefined || processed.length > 0 ||
    progress.kept.some(({ step }) => !known.control.early.has(step));
}

/**
 * Runs the code of choices. What they decide carries its own result, like the step that has ended
 * here.
 */
function decider(
  { payloadLimit }: Limits,
  workflow: Workflow,
  input: unknown,
  outputs: OutputCache,
  deaths = 0,
) {
  return (
    name: string,
    endedNow: ReadonlyMap<string, StepEnding>,
  ): Omit<LocalResult, "step" | "activation"> => {
    const step = workflow.steps.get(name);
    if (step?.decide === undefined) {
      throw new TypeError(`Cannot decide step "${name}": it is no choice`);
    }
    const ended = (need: string) => endedNow.get(need) ?? outputs.get(need);
    const missing = step.needs.map((need) => need.name).filter((need) => !ended(need));
    if (missing.length > 0) throw new MissingOutputs(missing);
    if (deaths >= mostDeaths) throw deadly(name, deaths);
    const steps = readNeeds(step.needs, ended);
    const context = { input, steps, emit: emitter(step) };
    const returned = callUserCode(() => step.decide?.(context));
    if (isPromise(returned)) throw unawaited(step.name, returned);
    const checked = checkDecision(step, returned, payloadLimit);
    const { event, texts } = checked;
    const isRead = workflow.graph.isRead(name);
    return { event, ...stored(checked, isRead), result: decided(name, event, texts) };
  };
}

function deadly(choice: string, deaths: number): Error {
  return new Error(
    `Cannot decide choice "${choice}": the process died each of the ${deaths} times that it was about to`,
  );
}

function unawaited(choice: string, returned: PromiseLike<unknown>): InvalidValueError {
  // Nobody else will hear of it when it rejects.
  settled(returned).catch(() => {});
  return new InvalidValueError({
    what: `choice "${choice}"`,
    problems: [{ path: "", message: "is a promise, and a choice must not wait" }],
    action: "decide",
  });
}

function throwMissing({ thrown }: Progress): void {
  if (isMissing(thrown?.error)) throw thrown.error;
}

/** Choices may throw anything: a revoked proxy throws when it is asked for its class. */
function isMissing(error: unknown): error is MissingOutputs {
  try {
    return error instanceof MissingOutputs;
  } catch {
    return false;
  }
}

/** What a choice has thrown, as JSON text; `plain` for a database that refuses it as it is. */
export function thrown({ thrown }: Progress, plain = false): string | undefined {
  if (thrown === undefined) return undefined;
  const said = failure(thrown.error);
  return JSON.stringify(plain ? inAscii(said) : said);
}

function decided(step: string, event: string, texts: CheckedOutcome["texts"]): NewResult {
  return {
    step,
    activation: 1,
    event,
    ...texts,
    attempt: 1,
    errors: undefined,
    duration: undefined,
  };
}

function isEnded(ending: StepEnding): ending is LocalResult {
  return "result" in ending;
}

function place(
  { step, activation }: Pick<StepEnding, "step" | "activation">,
  causes: Processed["causes"],
): Processed {
  return { step, activation, causes };
}
