import { emitter } from "../core/context.ts";
import { encodeControl } from "../core/control.ts";
import { advance, mergeMetadata, open, type Progress, type StepEnding } from "../core/engine.ts";
import { failure } from "../core/failure.ts";
import type { Workflow } from "../core/workflow.ts";
import type { JobId } from "../queue/job.ts";
import type { Known, Unprocessed } from "../store/store.ts";
import type { AppliedResult, NewResult, Processed, Turn, Wake } from "../store/turn.ts";
import { checkDecision, type CheckedOutcome } from "./outcome.ts";
import { type Outputs, readNeeds } from "./outputs.ts";
import type { Parts } from "./parts.ts";
import { isOf } from "./trouble.ts";

/** A step that has ended in this process: its result is written together with the transition. */
export interface Ended extends StepEnding {
  readonly result: NewResult;
}

/** What a turn is computed from. */
export interface TurnInput {
  readonly workflow: Workflow;
  readonly known: Known;
  readonly outputs: Outputs;
  readonly ended: readonly Ended[];
  readonly unprocessed: readonly Unprocessed[];
  readonly settled: readonly JobId[];
}

/** A turn without the jobs that it starts, and what the instance is once it is written. */
export interface Computed {
  readonly turn: Omit<Turn, "started">;
  readonly progress: Progress;
  readonly next: Known;
}

/** Some choice reads outputs that are not here: they must be loaded, then the turn is computed again. */
export class MissingOutputs extends Error {
  readonly steps: readonly string[];
  constructor(steps: readonly string[]) {
    super(`Outputs of ${steps.join(", ")} are not loaded`);
    this.steps = steps;
  }
}

type Limits = Pick<Parts, "payloadLimit" | "queues">;

/** Applies what has ended to what is known. Throws {@linkcode MissingOutputs}. */
export function computeTurn(limits: Limits, input: TurnInput): Computed {
  const { workflow, known, ended, unprocessed } = input;
  const own = unprocessed.filter(({ version }) => version === known.version);
  const foreign = unprocessed.filter(({ version }) => version !== known.version);
  const decide = decider(limits, workflow, known.input, input.outputs);
  const endings = own.length === 0 ? ended : [...ended, ...own];
  const progress = advance(workflow.graph, known.control, endings, decide);
  throwMissing(progress);
  const metadata = metadataAfter(workflow, known, progress);
  const recorded: AppliedResult[] = [];
  const processed: Processed[] = [];
  for (const { ending, causes } of progress.applied) {
    if (isEnded(ending)) recorded.push({ ...ending.result, causes });
    else processed.push({ ...place(ending), causes });
  }
  for (const ending of progress.ignored) processed.push({ ...place(ending), causes: undefined });
  for (const ending of foreign) processed.push({ ...place(ending), causes: undefined });
  return {
    progress,
    next: {
      ...known,
      revision: known.revision + 1,
      status: progress.status,
      control: progress.control,
      metadata: metadata ?? known.metadata,
    },
    turn: {
      instance: known.id,
      version: known.version,
      revision: known.revision,
      status: progress.status,
      control: encodeControl(progress.control),
      metadata: metadata && JSON.stringify(metadata),
      error: thrown(progress),
      recorded,
      processed,
      settled: input.settled,
      resolved: progress.resolved,
      wake: progress.wake ? wakeOf(limits, workflow) : undefined,
    },
  };
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
  const progress = open(workflow.graph, decider(limits, workflow, input, new Map()));
  return {
    progress,
    recorded: progress.applied.flatMap(({ ending, causes }) =>
      isEnded(ending) ? [{ ...ending.result, causes }] : []
    ),
    error: thrown(progress),
  };
}

/** Where the advance of an instance of this workflow is put. */
export function wakeOf({ queues }: Pick<Parts, "queues">, workflow: Workflow): Wake {
  return { queue: queues.advance, workflow: workflow.name, version: workflow.version };
}

/** Whether a turn would change anything: an advance that finds nothing new writes nothing. */
export function changes(known: Known, { progress, turn }: Computed): boolean {
  return progress.applied.length > 0 || progress.thrown !== undefined ||
    turn.processed.length > 0 ||
    progress.kept.some(({ step }) => !known.control.early.has(step));
}

/** Runs the code of choices. What they decide carries its own result, like the step that has ended here. */
function decider({ payloadLimit }: Limits, workflow: Workflow, input: unknown, outputs: Outputs) {
  return (
    name: string,
    endedNow: ReadonlyMap<string, StepEnding>,
  ): Omit<Ended, "step" | "activation"> => {
    const step = workflow.steps.get(name);
    if (step?.decide === undefined) {
      throw new TypeError(`Cannot decide step "${name}": it is no choice`);
    }
    const ended = (need: string) => endedNow.get(need) ?? outputs.get(need);
    const missing = step.needs.map((need) => need.name).filter((need) => !ended(need));
    if (missing.length > 0) throw new MissingOutputs(missing);
    const steps = readNeeds(step.needs, ended);
    const returned = step.decide({ input, steps, emit: emitter(step) });
    const { event, output, metadata, texts } = checkDecision(step, returned, payloadLimit);
    return { event, output, metadata, result: decided(name, event, texts) };
  };
}

function throwMissing({ thrown }: Progress): void {
  if (isOf(MissingOutputs, thrown?.error)) throw thrown.error;
}

function thrown({ thrown }: Progress): string | undefined {
  return thrown && JSON.stringify(failure(thrown.error));
}

function metadataAfter(
  workflow: Workflow,
  known: Known,
  progress: Progress,
): Known["metadata"] | undefined {
  const changed = progress.applied.some(({ ending }) => ending.metadata !== undefined);
  return changed ? mergeMetadata(workflow.graph, known.metadata, progress.control) : undefined;
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

function isEnded(ending: StepEnding): ending is Ended {
  return "result" in ending;
}

function place(
  { step, activation }: Pick<StepEnding, "step" | "activation">,
): Omit<Processed, "causes"> {
  return { step, activation };
}
