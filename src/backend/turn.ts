import type { Activation } from "../core/engine/activation.ts";
import type { InstanceStatus } from "../core/engine/instance.ts";
import type { JobId, NewJob } from "./job.ts";
import type { Lease } from "./queue.ts";

/**
 * What the row of a result is found by. The row that says that an asynchronous step waits stands
 * beside that of the delivery which ends the wait.
 */
export interface ResultKey extends Activation {
  readonly waits: boolean;
}

/** How a step ended, as it is written. Values are JSON texts. */
export interface NewResult extends ResultKey {
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
  readonly attempt: number;
  /** JSON text: the failures of earlier attempts. */
  readonly errors: string | undefined;
  /** Milliseconds that the last attempt took; `undefined` when no code ran in an attempt. */
  readonly duration: number | undefined;
}

/** A result that is written together with the transition that it causes. */
export interface Recorded {
  readonly result: NewResult;
  /** What had started the step, as keys of activations. */
  readonly causes: readonly string[];
}

/** What becomes of a result row that was there already. */
export interface Processed extends ResultKey {
  /** `undefined`: it came too late and is ignored. */
  readonly causes: readonly string[] | undefined;
}

/** One write of one instance and everything that follows from it: all of it or nothing. */
export interface Turn {
  readonly instance: string;
  readonly version: number;
  /** The revision it was computed from. When the instance has moved on, nothing is written. */
  readonly revision: number;
  readonly status: InstanceStatus;
  /** JSON text. */
  readonly control: string;
  /** JSON text; `undefined` leaves it alone. */
  readonly metadata: string | undefined;
  /** JSON text of a failure. */
  readonly error: string | undefined;
  readonly recorded: readonly Recorded[];
  readonly processed: readonly Processed[];
  /** Jobs of the committing process that are done. */
  readonly settled: readonly JobId[];
  /** Jobs of the committing process whose attempts are used up: they stay for a while, to be seen. */
  readonly discarded: readonly DiscardedJob[];
  /** Waits that ended: the jobs that remain of them are deleted. */
  readonly resolved: readonly Activation[];
  readonly started: readonly NewJob[];
  /**
   * The job that takes the row of the one that has ended, with its id, queue and priority: it
   * executes in the committing process, and the row's token is raised by one.
   */
  readonly reused: NewJob | undefined;
  /** A kept delivery can be applied now: an advance must come. */
  readonly wake: Wake | undefined;
  /**
   * Write no more than it takes to end the instance: the jobs that remain are deleted, for the
   * database has refused to cancel them.
   */
  readonly bare: boolean;
}

/** A job whose attempts are used up. */
export interface DiscardedJob {
  readonly id: JobId;
  /** JSON text: the failures of its attempts. */
  readonly errors: string | undefined;
}

/** Where the advance that a result asks for is put. */
export interface Wake {
  readonly queue: string;
  readonly workflow: string;
  readonly version: number;
}

/** A result that leaves the transition to an advance. */
export interface Recording extends NewResult {
  readonly instance: string;
  readonly version: number;
  /** The job that ends with it. A stale lease records nothing. */
  readonly lease: Lease;
  readonly wake: Wake;
}

/** A job that ends without a turn: its instance is final, or its step is no longer active. */
export interface Pass {
  readonly lease: Lease;
  readonly instance: string;
  /** Result rows that nobody will read any more. */
  readonly ignored: readonly ResultKey[];
}

/**
 * An outcome from outside. `id` is made before the first try, so that a repetition finds its own
 * row.
 */
export interface NewDelivery {
  readonly id: string;
  readonly instance: string;
  readonly version: number;
  /**
   * The fingerprint of the graph that it was checked with: an instance of another one does not take
   * it.
   */
  readonly graph: string;
  readonly step: string;
  /** `undefined`: the one that is active, or the next one to start. */
  readonly activation: number | undefined;
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
  readonly wake: Wake;
}
