import { emitter } from "../core/context.ts";
import { encodeControl } from "../core/control.ts";
import {
  advance,
  LATER,
  mergeMetadata,
  open,
  type Progress,
  type StepEnding,
} from "../core/engine.ts";
import { failure } from "../core/failure.ts";
import type { Workflow } from "../core/workflow.ts";
import type { JobId } from "../queue/job.ts";
import type { Known, Unprocessed } from "../store/store.ts";
import type { AppliedResult, NewResult, Processed, Turn, Wake } from "../store/turn.ts";
import { checkDecision, type CheckedOutcome } from "./outcome.ts";
import { type Outputs, readNeeds } from "./outputs.ts";
import type { Parts } from "./parts.ts";

/** A step that has ended in this process: its result is written together with the transition. */
export interface Ended {
  readonly ending: StepEnding;
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
  const decisions = new Map<string, CheckedOutcome>();
  const own = unprocessed.filter(({ version }) => version === known.version);
  const progress = advance(
    workflow.graph,
    known.control,
    [...ended.map(({ ending }) => ending), ...own],
    decider(limits, workflow, known.input, input.outputs, decisions),
  );
  throwMissing(progress);
  const rows = new Set<StepEnding>(own);
  const foreign = unprocessed.filter(({ version }) => version !== known.version);
  const metadata = metadataAfter(workflow, known, progress);
  const next: Known = {
    ...known,
    revision: known.revision + 1,
    status: progress.status,
    control: progress.control,
    metadata: metadata ?? known.metadata,
  };
  const results = new Map(ended.map(({ ending, result }) => [ending, result]));
  return {
    progress,
    next,
    turn: {
      instance: known.id,
      version: known.version,
      revision: known.revision,
      status: progress.status,
      control: encodeControl(progress.control),
      metadata: metadata && JSON.stringify(metadata),
      error: thrown(progress),
      recorded: progress.applied.flatMap((applied): AppliedResult[] => {
        const result = applied.decided
          ? decided(applied.ending, decisions.get(applied.ending.step))
          : results.get(applied.ending);
        return result ? [{ ...result, causes: applied.causes }] : [];
      }),
      processed: [
        ...progress.applied.filter(({ ending }) => rows.has(ending)).map(({ ending, causes }) => ({
          ...place(ending),
          causes,
        })),
        ...[...progress.ignored, ...foreign].map((ending) => ({
          ...place(ending),
          causes: undefined,
        })),
      ],
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
  const decisions = new Map<string, CheckedOutcome>();
  const decide = decider(limits, workflow, input, new Map(), decisions);
  const progress = open(workflow.graph, decide);
  return {
    progress,
    recorded: progress.applied.map(({ ending, causes }) => ({
      ...decided(ending, decisions.get(ending.step)),
      causes,
    })),
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

function decider(
  { payloadLimit }: Limits,
  workflow: Workflow,
  input: unknown,
  outputs: Outputs,
  decisions: Map<string, CheckedOutcome>,
) {
  return (name: string, endedNow: ReadonlyMap<string, StepEnding>): CheckedOutcome => {
    const step = workflow.steps.get(name);
    if (step?.decide === undefined) {
      throw new TypeError(`Cannot decide step "${name}": it is no choice`);
    }
    const missing = step.needs.map((need) => need.name).filter((need) =>
      !endedNow.has(need) && !outputs.has(need)
    );
    if (missing.length > 0) throw new MissingOutputs(missing);
    const steps = readNeeds(step.needs, (need) => endedNow.get(need) ?? outputs.get(need));
    const returned = step.decide({ input, steps, emit: emitter(step) });
    const outcome = checkDecision(step, returned, payloadLimit);
    decisions.set(name, outcome);
    return outcome;
  };
}

function throwMissing({ thrown }: Progress): void {
  if (thrown?.error instanceof MissingOutputs) throw thrown.error;
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

function decided(ending: StepEnding, outcome: CheckedOutcome | undefined): NewResult {
  return {
    ...place(ending),
    event: ending.event,
    output: outcome?.texts.output,
    metadata: outcome?.texts.metadata,
    attempt: 1,
    errors: undefined,
    duration: undefined,
  };
}

function place(
  { step, activation }: Pick<StepEnding, "step" | "activation">,
): Omit<Processed, "causes"> {
  return { step, activation };
}

/** The ending by which an asynchronous step says that it waits. Its row must not take the place of the delivery. */
export function laterEnding(step: string): StepEnding {
  return { step, activation: -1, event: LATER, output: undefined, metadata: undefined };
}
