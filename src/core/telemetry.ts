import type { Failure } from "./failure.ts";
import type { InstanceStatus } from "./instance.ts";

/** The instance that an event is about. */
export interface AboutInstance {
  readonly instance: string;
  readonly workflow: string;
  readonly version: number;
  readonly key: string;
}

/** The attempt of a step that an event is about. */
export interface AboutAttempt extends AboutInstance {
  readonly step: string;
  /** The job that carries it. */
  readonly job: string;
  readonly attempt: number;
}

/** The job that an event is about. `step` is undefined when it is about the instance as a whole. */
export interface AboutJob {
  readonly job: string;
  readonly kind: string;
  readonly queue: string;
  readonly workflow: string;
  readonly version: number;
  readonly instance: string;
  readonly step: string | undefined;
  readonly attempt: number;
}

/** An instance was started and committed. */
export interface WorkflowStart extends AboutInstance {
  readonly tags: readonly string[];
}

/** An instance became final without an error: `completed` or `cancelled`. */
export interface WorkflowStop extends AboutInstance {
  readonly status: InstanceStatus;
  /** Milliseconds since its start, where they are known. */
  readonly duration: number | undefined;
}

/** An instance failed. */
export interface WorkflowException extends AboutInstance {
  readonly error: Failure;
  readonly duration: number | undefined;
}

/** A step ended and its event led on. */
export interface WorkflowTransition extends AboutInstance {
  readonly step: string;
  readonly event: string;
  /** The steps that this started. */
  readonly started: readonly string[];
}

/** An attempt of a step begins. */
export type StepStart = AboutAttempt;

/** An attempt of a step ended with an event. */
export interface StepStop extends AboutAttempt {
  readonly event: string;
  readonly duration: number;
}

/** An attempt of a step threw. */
export interface StepException extends AboutAttempt {
  readonly error: Failure;
  readonly duration: number;
  /** Whether the step is tried again, put off without using up the attempt, or given up. */
  readonly verdict: "retry" | "snooze" | "discard";
}

/** The code of an asynchronous step ended, and the step waits for a delivery. */
export interface StepAsync extends AboutAttempt {
  readonly duration: number;
}

/** A delivery reached its instance, or a timer elapsed. */
export interface StepResume extends AboutInstance {
  readonly step: string;
  readonly event: string;
  readonly result: "accepted" | "early" | "duplicate";
}

/** An instance was advanced. */
export interface Advance extends AboutInstance {
  readonly revision: number;
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
  readonly process: string;
  /** How many jobs of each queue it runs at once. */
  readonly queues: { readonly [queue: string]: number };
  readonly workflows: readonly { readonly workflow: string; readonly version: number }[];
}

/** Jobs were claimed, in one statement. */
export interface JobClaim {
  readonly process: string;
  readonly queue: string;
  readonly jobs: readonly string[];
  /** Milliseconds that the statement took. */
  readonly duration: number;
}

/** A job was done and deleted. */
export interface JobStop extends AboutJob {
  readonly duration: number;
}

/** An attempt of a job failed; it comes back after `delay` milliseconds. */
export interface JobRetry extends AboutJob {
  readonly error: Failure;
  readonly delay: number;
}

/** A job was put off for `delay` milliseconds without using up an attempt. */
export interface JobSnooze extends AboutJob {
  readonly delay: number;
}

/** A job was given up. */
export interface JobDiscard extends AboutJob {
  readonly error: Failure;
}

/** A job was cancelled before it was done. */
export interface JobCancel {
  readonly job: string;
}

/** Processes were declared dead and their jobs made available again. */
export interface JobRescue {
  readonly processes: readonly string[];
  readonly queues: readonly string[];
}

/** Every event, with what its listeners are told. Durations are in milliseconds. */
export interface Events {
  readonly "workflow:start": WorkflowStart;
  readonly "workflow:stop": WorkflowStop;
  readonly "workflow:exception": WorkflowException;
  readonly "workflow:transition": WorkflowTransition;
  readonly "step:start": StepStart;
  readonly "step:stop": StepStop;
  readonly "step:exception": StepException;
  readonly "step:async": StepAsync;
  readonly "step:resume": StepResume;
  readonly "advance": Advance;
  readonly "runner:init": RunnerInit;
  readonly "job:claim": JobClaim;
  readonly "job:stop": JobStop;
  readonly "job:retry": JobRetry;
  readonly "job:snooze": JobSnooze;
  readonly "job:discard": JobDiscard;
  readonly "job:cancel": JobCancel;
  readonly "job:rescue": JobRescue;
}

/** The name of an event. */
export type EventName = keyof Events;

/** What is called when an event happens. What it throws or rejects with is logged once and harms nothing. */
export type Listener<Name extends EventName> = (payload: Events[Name]) => void | Promise<void>;
