/**
 * What the listeners of `Hephaestus.on` are told.
 *
 * @example Count what is tried again
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
import type { Failure } from "./value/failure.ts";
import type { InstanceStatus } from "./engine/instance.ts";

/** The instance that an event is about. */
export interface AboutInstance {
  /** Its id. */
  readonly instance: string;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Version of the workflow that it runs on. */
  readonly version: number;
  /** Its business key, for instance `"orderid::abc123"`. */
  readonly key: string;
}

/** The attempt of a step that an event is about. */
export interface AboutAttempt extends AboutInstance {
  /** Name of the step. */
  readonly step: string;
  /** The job that carries it. */
  readonly job: string;
  /** Which try it is, from 1. */
  readonly attempt: number;
}

/** The job that an event is about. `step` is undefined when it is about the instance as a whole. */
export interface AboutJob {
  /** Its id. */
  readonly job: string;
  /** `"advance"`, `"execute"` or `"resume"`. */
  readonly kind: string;
  /** The queue that it is in. */
  readonly queue: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version of the workflow. */
  readonly version: number;
  /** Id of the instance. */
  readonly instance: string;
  /** Name of the step. */
  readonly step: string | undefined;
  /** Which try it is, from 1. */
  readonly attempt: number;
}

/**
 * An instance was started, and that is committed. A start in a caller's transaction is not told:
 * only its caller knows whether it commits. Nor is a delivery or a cancel in one.
 */
export interface WorkflowStart extends AboutInstance {
  /** Tags of the workflow and of the start. */
  readonly tags: readonly string[];
}

/** An instance became final without an error: `completed` or `cancelled`. */
export interface WorkflowStop extends AboutInstance {
  /** `completed` or `cancelled`. */
  readonly status: InstanceStatus;
  /** Milliseconds since its start, by the database's clock. */
  readonly duration: number;
}

/** An instance failed. */
export interface WorkflowException extends AboutInstance {
  /** Why. */
  readonly error: Failure;
  /** Milliseconds since its start, by the database's clock. */
  readonly duration: number;
}

/** A step ended and its event led on. */
export interface WorkflowTransition extends AboutInstance {
  /** Name of the step. */
  readonly step: string;
  /** The event that it ended with. */
  readonly event: string;
  /** The steps that this started. */
  readonly started: readonly string[];
}

/** An attempt of a step begins. */
export type StepStart = AboutAttempt;

/** An attempt of a step ended with an event. */
export interface StepStop extends AboutAttempt {
  /** The event that it ended with. */
  readonly event: string;
  /** Milliseconds that it took. */
  readonly duration: number;
}

/** An attempt of a step threw. */
export interface StepException extends AboutAttempt {
  /** What it threw. */
  readonly error: Failure;
  /** Milliseconds that it took. */
  readonly duration: number;
  /** Whether the step is tried again, put off without using up the attempt, or given up. */
  readonly verdict: "retry" | "snooze" | "discard";
}

/** The code of an asynchronous step ended, and the step waits for a delivery. */
export interface StepAsync extends AboutAttempt {
  /** Milliseconds that it took. */
  readonly duration: number;
}

/** A delivery reached its instance, or a timer elapsed. */
export interface StepResume extends AboutInstance {
  /** Name of the signal, the timer or the asynchronous step. */
  readonly step: string;
  /** The event that was delivered. */
  readonly event: string;
  /** Whether it met its wait, came before it, or was not the first. */
  readonly result: "accepted" | "early" | "duplicate";
}

/** An instance was advanced. */
export interface Advance extends AboutInstance {
  /** How often the instance has been written, this time included. */
  readonly revision: number;
  /** Where it stands now. */
  readonly status: InstanceStatus;
  /** How many results it took in. */
  readonly results: number;
  /** The steps that it started. */
  readonly started: readonly string[];
  /** Whether the process that had run the step did it, without a job. */
  readonly inline: boolean;
}

/** A process began to work. */
export interface RunnerInit {
  /** Its id in the database. */
  readonly process: string;
  /** How many jobs of each queue it runs at once. */
  readonly queues: { readonly [queue: string]: number };
  /** The versions of workflows whose code it has. */
  readonly workflows: readonly { readonly workflow: string; readonly version: number }[];
}

/** Jobs were claimed, in one statement. */
export interface JobClaim {
  /** The process that owns them now. */
  readonly process: string;
  /** The queue that they were in. */
  readonly queue: string;
  /** Their ids. */
  readonly jobs: readonly string[];
  /** Milliseconds that the statement took. */
  readonly duration: number;
}

/** A job was done: its row is deleted, or goes on as a job that follows from it. */
export interface JobStop extends AboutJob {
  /** Milliseconds that it took. */
  readonly duration: number;
}

/** An attempt of a job failed; it comes back after `delay` milliseconds. */
export interface JobRetry extends AboutJob {
  /** What the attempt threw. */
  readonly error: Failure;
  /** Milliseconds until it comes back. */
  readonly delay: number;
}

/** A job was put off for `delay` milliseconds without using up an attempt. */
export interface JobSnooze extends AboutJob {
  /** Milliseconds until it comes back. */
  readonly delay: number;
}

/** A job was given up. */
export interface JobDiscard extends AboutJob {
  /** What the last attempt threw. */
  readonly error: Failure;
}

/**
 * A scheduled delivery was cancelled. The jobs that are cancelled together with their instance are
 * not told one by one.
 */
export interface JobCancel {
  /** Its id. */
  readonly job: string;
}

/** Processes were declared dead and their jobs made available again. */
export interface JobRescue {
  /** Their ids. */
  readonly processes: readonly string[];
  /** The queues that their jobs are in. */
  readonly queues: readonly string[];
}

/** Every event, with what its listeners are told. Durations are in milliseconds. */
export interface Events {
  /** An instance was started. */
  readonly "workflow:start": WorkflowStart;
  /** An instance completed or was cancelled. */
  readonly "workflow:stop": WorkflowStop;
  /** An instance failed. */
  readonly "workflow:exception": WorkflowException;
  /** A step ended and its event led on. */
  readonly "workflow:transition": WorkflowTransition;
  /** An attempt of a step begins. */
  readonly "step:start": StepStart;
  /** An attempt of a step ended with an event. */
  readonly "step:stop": StepStop;
  /** An attempt of a step threw. */
  readonly "step:exception": StepException;
  /** An asynchronous step waits for its delivery. */
  readonly "step:async": StepAsync;
  /** A delivery came, or a timer elapsed. */
  readonly "step:resume": StepResume;
  /** An instance was moved. */
  readonly "advance": Advance;
  /** A process began to work. */
  readonly "runner:init": RunnerInit;
  /** Jobs were claimed. */
  readonly "job:claim": JobClaim;
  /** A job was done. */
  readonly "job:stop": JobStop;
  /** A job failed and comes back. */
  readonly "job:retry": JobRetry;
  /** A job was put off. */
  readonly "job:snooze": JobSnooze;
  /** A job was given up. */
  readonly "job:discard": JobDiscard;
  /** A scheduled delivery was cancelled. */
  readonly "job:cancel": JobCancel;
  /** Dead processes lost their jobs. */
  readonly "job:rescue": JobRescue;
}

/** The name of an event. */
export type EventName = keyof Events;

/**
 * What is called when an event happens. What it throws or rejects with is logged once and harms
 * nothing.
 */
export type Listener<Name extends EventName> = (payload: Events[Name]) => void | Promise<void>;
