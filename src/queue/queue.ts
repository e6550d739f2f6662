import type { Failure } from "../core/failure.ts";
import type { Job, JobId } from "./job.ts";

/** A definition that a process has the code of. */
export interface Served {
  readonly workflow: string;
  readonly version: number;
}

/** What a process asks for: at most `limit` jobs of one queue that it serves. */
export interface Demand {
  readonly process: string;
  readonly queue: string;
  readonly limit: number;
  readonly serves: readonly Served[];
  /** Milliseconds: only what became due in them is looked at. Everything that is due unless told. */
  readonly since?: number | undefined;
}

/** What a heartbeat learns. */
export interface Beat {
  /** The jobs that the database says this process owns. */
  readonly owned: readonly Lease[];
}

/** Proof of ownership: a verdict whose lease is stale changes nothing. */
export interface Lease {
  readonly process: string;
  readonly id: JobId;
  readonly token: number;
}

/** Jobs that are due and that no living process serves. */
export interface Unserved extends Served {
  readonly count: number;
}

/** Whether the attempt that a claim has counted stays counted. */
export interface Counting {
  readonly counted?: boolean;
}

/** A durable job queue. Every method is one statement or one transaction, and may be repeated after a lost answer. */
export interface Queue {
  /** Enters a process and returns its id, which is never used again. `lease` in milliseconds. */
  register(name: string, lease: number): Promise<string>;
  /** Prolongs the lease. `undefined` when the process has been declared dead: it must begin again under a new id. */
  heartbeat(process: string, lease: number): Promise<Beat | undefined>;
  /** Leaves. Jobs that it still owns are given back, without using up an attempt. */
  unregister(process: string): Promise<void>;
  /** A block of ids that nobody else uses: `from`, up to and without `to`. */
  reserveIds(): Promise<{ readonly from: number; readonly to: number }>;
  /** Takes jobs that nobody else holds, most urgent and then oldest first, and counts the attempt. */
  claim(demand: Demand): Promise<readonly Job[]>;
  /** Gives jobs back, without using up an attempt unless it is to stay counted. */
  release(leases: readonly Lease[], options?: Counting): Promise<void>;
  /** Records a failed attempt, as the last of these failures; the job comes back after `delay` milliseconds. False when the lease is stale. */
  retry(lease: Lease, failures: readonly Failure[], delay: number): Promise<boolean>;
  /** Puts a job off for `delay` milliseconds, without using up an attempt unless it is to stay counted. False when the lease is stale. */
  snooze(lease: Lease, delay: number, options?: Counting): Promise<boolean>;
  /** Makes due jobs available, at most `limit`; an advance yields to one that waits already. Returns their queues. */
  stage(limit: number): Promise<readonly string[]>;
  /**
   * Declares processes whose lease has ended dead and makes their jobs available. Returns the queues that got work. The
   * `rescuer` lives, however late it is.
   */
  rescue(
    rescuer?: string,
  ): Promise<{ readonly processes: readonly string[]; readonly queues: readonly string[] }>;
  /** Milliseconds until the next scheduled job is due, at most `atMost`. */
  nextDue(atMost: number): Promise<number>;
  /** Due jobs for which no code is here. */
  unserved(serves: readonly Served[]): Promise<readonly Unserved[]>;
  /** Deletes at most `limit` discarded and cancelled jobs that ended more than `age` milliseconds ago. */
  prune(age: number, limit: number): Promise<number>;
  /** Calls `wake` with the queues that may have got work, and with none when notifications may have been missed. */
  listen(wake: (queues: readonly string[]) => void): AsyncDisposable;
}
