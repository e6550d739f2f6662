/**
 * The payloads that listeners of `Hephaestus.on` receive.
 *
 * @example Count retries
 * ```ts
 * import type { Hephaestus } from "@hephaestus/workflow";
 * import type { JobRetry } from "@hephaestus/workflow/events";
 *
 * export function countRetries(engine: Hephaestus, counts: Map<string, number>): () => void {
 *   const count = ({ workflow }: JobRetry) => {
 *     counts.set(workflow, (counts.get(workflow) ?? 0) + 1);
 *   };
 *   return engine.on("job:retry", count);
 * }
 * ```
 *
 * @module
 */
import type { AboutInstance, WorkflowFork, WorkflowRetry, WorkflowRewind } from "./acts.ts";
import type { InstanceStatus, UndoReason } from "./engine/instance.ts";
import type { Failure } from "./value/failure.ts";

export type { AboutInstance, WorkflowFork, WorkflowRetry, WorkflowRewind };

/** The attempt of a step that an event is about. */
export interface AboutAttempt extends AboutInstance {
  /** Name of the step. */
  readonly step: string;
  /** Id of the job that runs it. */
  readonly job: string;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
}

/** The job that an event is about. `step` is undefined when the job is about the whole instance. */
export interface AboutJob {
  /** Id of the job. */
  readonly job: string;
  /** `"advance"`, `"execute"` or `"resume"`. */
  readonly kind: string;
  /** The job's queue. */
  readonly queue: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version of the workflow. */
  readonly version: number;
  /** Id of the instance. */
  readonly instance: string;
  /** Name of the step. */
  readonly step: string | undefined;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
}

/**
 * An instance was started and the start is committed. Starts, deliveries and cancellations inside a
 * caller's transaction emit no event, because only the caller knows whether it commits.
 */
export interface WorkflowStart extends AboutInstance {
  /** Tags of the workflow and of the start. */
  readonly tags: readonly string[];
}

/** An instance became final without an error: `completed`, `cancelled` or `undone`. */
export interface WorkflowStop extends AboutInstance {
  /** `completed`, `cancelled` or `undone`. */
  readonly status: InstanceStatus;
  /** The outcome that it has returned, if its workflow returns anything and it has completed. */
  readonly outcome?: string;
  /** Milliseconds since the start, by the database's clock. */
  readonly duration: number;
}

/** An instance failed. */
export interface WorkflowException extends AboutInstance {
  /** Why it failed. */
  readonly error: Failure;
  /** Milliseconds since the start, by the database's clock. */
  readonly duration: number;
}

/** The result of a step was applied. */
export interface WorkflowTransition extends AboutInstance {
  /** Name of the step. */
  readonly step: string;
  /** The event that the step ended with. */
  readonly event: string;
  /** The steps that it started. */
  readonly started: readonly string[];
}

/** An attempt of a step started. */
export type StepStart = AboutAttempt;

/** An attempt of a step ended with an event. */
export interface StepStop extends AboutAttempt {
  /** The event that the step ended with. */
  readonly event: string;
  /** Duration in milliseconds. */
  readonly duration: number;
}

/** An attempt of a step threw. */
export interface StepException extends AboutAttempt {
  /** The error that it threw. */
  readonly error: Failure;
  /** Duration in milliseconds. */
  readonly duration: number;
  /** Whether the step is retried, postponed without using up an attempt, or failed for good. */
  readonly verdict: "retry" | "snooze" | "discard";
}

/** The code of an asynchronous step returned, and the step now waits for a delivery. */
export interface StepAsync extends AboutAttempt {
  /** Duration in milliseconds. */
  readonly duration: number;
}

/** An instance begins to undo what its steps have done. */
export interface WorkflowUndo extends AboutInstance {
  /** Why, and the status that it gets once everything is undone. */
  readonly reason: UndoReason;
}

/**
 * A step was active when its branch was dropped or its instance began to undo: it has ended without
 * an event.
 */
export interface StepDrop extends AboutInstance {
  /** Name of the step. */
  readonly step: string;
  /** Name of the step whose event dropped it; `undefined` when the instance was cancelled. */
  readonly by: string | undefined;
}

/** A delivery reached its instance, or a timer elapsed. */
export interface StepResume extends AboutInstance {
  /** Name of the signal, the timer or the asynchronous step. */
  readonly step: string;
  /** The event that was delivered. */
  readonly event: string;
  /** Whether the step was waiting, was not waiting yet, or had already received a delivery. */
  readonly result: "accepted" | "early" | "duplicate";
}

/** An instance was advanced. */
export interface Advance extends AboutInstance {
  /** How often the instance has been written, including this time. */
  readonly revision: number;
  /** The status after the advance. */
  readonly status: InstanceStatus;
  /** The number of results that were applied. */
  readonly results: number;
  /** The steps that it started. */
  readonly started: readonly string[];
  /** Whether the process that ran the step did this directly, without an advance job. */
  readonly inline: boolean;
}

/** A worker started. */
export interface RunnerInit {
  /** Id of the process in the database. */
  readonly process: string;
  /** How many jobs of each queue it runs concurrently. */
  readonly queues: { readonly [queue: string]: number };
  /** The workflow versions that it has code for. */
  readonly workflows: readonly { readonly workflow: string; readonly version: number }[];
}

/** Jobs were claimed in one statement. */
export interface JobClaim {
  /** The process that now owns them. */
  readonly process: string;
  /** The queue they were claimed from. */
  readonly queue: string;
  /** Their ids. */
  readonly jobs: readonly string[];
  /** Duration of the statement in milliseconds. */
  readonly duration: number;
}

/** A job has finished: its row was deleted or reused for a follow-up job. */
export interface JobStop extends AboutJob {
  /** Duration in milliseconds. */
  readonly duration: number;
}

/** An attempt of a job failed. The job is retried after `delay` milliseconds. */
export interface JobRetry extends AboutJob {
  /** The error that the attempt threw. */
  readonly error: Failure;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
}

/** A job was postponed by `delay` milliseconds without using up an attempt. */
export interface JobSnooze extends AboutJob {
  /** Milliseconds until the job is due again. */
  readonly delay: number;
}

/** A job was discarded: it is not retried. */
export interface JobDiscard extends AboutJob {
  /** The error that the last attempt threw. */
  readonly error: Failure;
}

/**
 * A scheduled delivery was cancelled. Jobs that are cancelled together with their instance emit no
 * event of their own.
 */
export interface JobCancel {
  /** Id of the job. */
  readonly job: string;
}

/** Processes were declared dead and their jobs made available again. */
export interface JobRescue {
  /** Ids of the processes. */
  readonly processes: readonly string[];
  /** The queues of the jobs. */
  readonly queues: readonly string[];
}

/** Every event and its payload. Durations are in milliseconds. */
export interface Events {
  /** An instance was started. */
  readonly "workflow:start": WorkflowStart;
  /** An instance completed, was cancelled or is undone. */
  readonly "workflow:stop": WorkflowStop;
  /** An instance failed. */
  readonly "workflow:exception": WorkflowException;
  /** An instance that had failed was retried. */
  readonly "workflow:retry": WorkflowRetry;
  /** An instance was rewound to a step. */
  readonly "workflow:rewind": WorkflowRewind;
  /** An instance was started at a step of another one. */
  readonly "workflow:fork": WorkflowFork;
  /** The result of a step was applied. */
  readonly "workflow:transition": WorkflowTransition;
  /** An instance begins to undo. */
  readonly "workflow:undo": WorkflowUndo;
  /** An attempt of a step started. */
  readonly "step:start": StepStart;
  /** An attempt of a step ended with an event. */
  readonly "step:stop": StepStop;
  /** An attempt of a step threw. */
  readonly "step:exception": StepException;
  /** An asynchronous step waits for its delivery. */
  readonly "step:async": StepAsync;
  /** A step ended because its branch was dropped or its instance undoes. */
  readonly "step:drop": StepDrop;
  /** A delivery arrived, or a timer elapsed. */
  readonly "step:resume": StepResume;
  /** An instance was advanced. */
  readonly "advance": Advance;
  /** A worker started. */
  readonly "runner:init": RunnerInit;
  /** Jobs were claimed. */
  readonly "job:claim": JobClaim;
  /** A job has finished. */
  readonly "job:stop": JobStop;
  /** A job failed and is retried. */
  readonly "job:retry": JobRetry;
  /** A job was postponed. */
  readonly "job:snooze": JobSnooze;
  /** A job was discarded. */
  readonly "job:discard": JobDiscard;
  /** A scheduled delivery was cancelled. */
  readonly "job:cancel": JobCancel;
  /** The jobs of dead processes were made available again. */
  readonly "job:rescue": JobRescue;
}

/** The name of an event. */
export type EventName = keyof Events;

/**
 * Called when an event happens. An error that it throws or rejects with is logged once and has no
 * other effect.
 */
export type Listener<Name extends EventName> = (payload: Events[Name]) => void | Promise<void>;
