import type { Activation } from "../core/engine/activation.ts";
import type { InstanceStatus } from "../core/engine/instance.ts";
import type { JobId, NewJob } from "./job.ts";
import type { Lease } from "./queue.ts";

/**
 * Identifies a result row. The row that says that an asynchronous step waits has a key of its own,
 * next to the row of the delivery that ends the wait.
 */
export interface ResultKey extends Activation {
  readonly waits: boolean;
}

/** The outcome of a step to be written. Values are JSON text. */
export interface NewResult extends ResultKey {
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
  readonly attempt: number;
  /** JSON text of the failures of earlier attempts. */
  readonly errors: string | undefined;
  /** Duration of the last attempt in milliseconds; `undefined` when no code ran. */
  readonly duration: number | undefined;
}

/** A result that is written together with the transition that it causes. */
export interface Recorded {
  readonly result: NewResult;
  /** The keys of the activations that started the step. */
  readonly causes: readonly string[];
}

/** An update of an existing result row. */
export interface Processed extends ResultKey {
  /** `undefined` when it came too late and is ignored. */
  readonly causes: readonly string[] | undefined;
}

/** One write of one instance and everything that follows from it. It is atomic. */
export interface Turn {
  readonly instance: string;
  readonly version: number;
  /**
   * The revision that it was computed from. If the instance has changed since, nothing is written.
   */
  readonly revision: number;
  readonly status: InstanceStatus;
  /** JSON text. */
  readonly control: string;
  /** JSON text; `undefined` means unchanged. */
  readonly metadata: string | undefined;
  /** JSON text of a failure. */
  readonly error: string | undefined;
  /**
   * Of a step that was withdrawn, the result is written only if there is none yet: a delivery that
   * came too late has its own.
   */
  readonly recorded: readonly Recorded[];
  readonly processed: readonly Processed[];
  /** Completed jobs of the committing process. */
  readonly settled: readonly JobId[];
  /**
   * Jobs of the committing process that have no attempts left. They are kept for a while for
   * inspection.
   */
  readonly discarded: readonly DiscardedJob[];
  /** Waits that ended, and steps that were withdrawn. Their remaining jobs are deleted. */
  readonly resolved: readonly Activation[];
  /** Names of items whose list was withdrawn. All their jobs are deleted. */
  readonly emptied?: readonly string[] | undefined;
  readonly started: readonly NewJob[];
  /**
   * The job that reuses the row of the job that has ended: its id, queue and priority stay, it
   * executes in the committing process, and its token is incremented by one.
   */
  readonly reused: NewJob | undefined;
  /** Set when a kept delivery can now be applied: an advance must run. */
  readonly wake: Wake | undefined;
  /**
   * Writes only what is necessary to end the instance. Remaining jobs are deleted, because the
   * database has refused to cancel them.
   */
  readonly bare: boolean;
  /**
   * Jobs of other instances. One that does not exist gets none, and neither does a parent that has
   * ended. A child that has ended may be retried at the same time.
   */
  readonly others?: readonly OtherJob[] | undefined;
}

/**
 * A `resume` job for another instance: it tells a parent that its child has ended, or a child that
 * nobody waits for it any more. The store adds the workflow and the version of that instance.
 */
export interface OtherJob extends Activation {
  readonly instance: string;
  readonly queue: string;
  /** JSON text. */
  readonly args: string;
}

/** A job that has no attempts left. */
export interface DiscardedJob {
  readonly id: JobId;
  /** JSON text of the failures of its attempts. */
  readonly errors: string | undefined;
}

/** The queue and the workflow of the advance that a result requires. */
export interface Wake {
  readonly queue: string;
  readonly workflow: string;
  readonly version: number;
}

/** A result whose transition is left to an advance. */
export interface Recording extends NewResult {
  readonly instance: string;
  readonly version: number;
  /** The job that ends with the result. With a stale lease, nothing is recorded. */
  readonly lease: Lease;
  readonly wake: Wake;
}

/**
 * A job that ends without a turn, because its instance is final or its step is no longer active.
 */
export interface Pass {
  readonly lease: Lease;
  readonly instance: string;
  /** Result rows that will not be read any more. */
  readonly ignored: readonly ResultKey[];
}

/**
 * A delivery from outside. `id` is created before the first attempt, so that a repetition finds its
 * own row.
 */
export interface NewDelivery {
  readonly id: string;
  readonly instance: string;
  readonly version: number;
  /**
   * The fingerprint of the graph that it was checked against. An instance of another graph rejects
   * it.
   */
  readonly graph: string;
  readonly step: string;
  /** `undefined` means the active activation, or else the next one to start. */
  readonly activation: number | undefined;
  /** The steps that loops lead back to and that run the step again. */
  readonly loops: readonly string[];
  /** The first steps of the branches that can be dropped and that the step belongs to. */
  readonly branches: readonly string[];
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
  readonly wake: Wake;
}
