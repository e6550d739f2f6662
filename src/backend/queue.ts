import type { Failure } from "../core/value/failure.ts";
import type { Job, JobId } from "./job.ts";

/** A definition that a process has the code of. */
export interface Served {
  readonly workflow: string;
  readonly version: number;
}

/** What a process can work on. */
export interface Serving {
  readonly queues: readonly string[];
  /** Each with the fingerprint of the graph that is here. */
  readonly workflows: readonly (Served & { readonly graph?: string })[];
}

/** What a process asks for: at most `limit` jobs of one queue that it serves. */
export interface Demand {
  readonly process: string;
  readonly queue: string;
  readonly limit: number;
  readonly serves: readonly Served[];
  /** Milliseconds: only what became due in them is looked at. Default: everything that is due. */
  readonly since?: number | undefined;
}

/** What an idle process asks for: one job that must run alone, of the queues that it serves. */
export interface LoneDemand {
  readonly process: string;
  readonly queues: readonly string[];
  readonly serves: readonly Served[];
}

/** A job that was executing in a process which was declared dead. */
export interface OrphanedJob {
  readonly process: string;
  readonly job: JobId;
  readonly kind: string;
  readonly workflow: string;
  readonly version: number;
  /** The business key of its instance; `undefined` where the instance is gone. */
  readonly key: string | undefined;
  readonly instance: string;
  readonly step: string | undefined;
  /** The attempt that was running. */
  readonly attempt: number;
  readonly maxAttempts: number | undefined;
}

/** What a rescue has found. */
export interface Rescued {
  readonly processes: readonly string[];
  /** Those that got work. */
  readonly queues: readonly string[];
  /** What the processes were running: the first so many. */
  readonly running: readonly OrphanedJob[];
}

/** How many jobs a rescue names. */
export const namedAtMost = 50;

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

/** Jobs that are due and that no living process can take. */
export interface Unserved extends Served {
  readonly queue: string;
  readonly count: number;
  /** The step of one of them. */
  readonly step: string | undefined;
  /**
   * Whether some living process serves the queue, and whether one has the code: it is not the same
   * one then.
   */
  readonly hasQueue: boolean;
  readonly hasCode: boolean;
  /** The queues that living processes serve. */
  readonly servedQueues: readonly string[];
}

/** Whether the attempt that a claim has counted stays counted. */
export interface Counting {
  readonly counted?: boolean;
}

/**
 * A durable job queue. Every method is one statement or one transaction, and may be repeated after
 * a lost answer.
 */
export interface Queue {
  /**
   * Enters a process and returns its id, which is never used again. `lease` in milliseconds. One
   * that does not say what it serves is taken to serve everything.
   */
  register(name: string, lease: number, serving?: Serving): Promise<string>;
  /**
   * Prolongs the lease. `undefined` when the process has been declared dead: it must begin again
   * under a new id.
   */
  heartbeat(process: string, lease: number): Promise<Beat | undefined>;
  /** Leaves. Jobs that it still owns are given back, without using up an attempt. */
  unregister(process: string): Promise<void>;
  /** A block of ids that nobody else uses: `from`, up to and without `to`. */
  reserveIds(): Promise<{ readonly from: number; readonly to: number }>;
  /**
   * Takes jobs that nobody else holds, most urgent and then oldest first, and counts the attempt.
   * None that must run alone.
   */
  claim(demand: Demand): Promise<readonly Job[]>;
  /** Takes one job that must run alone, and counts the attempt. */
  claimLone(demand: LoneDemand): Promise<Job | undefined>;
  /** Whether a job that must run alone waits for a process. */
  loneWaits(demand: Omit<LoneDemand, "process">): Promise<boolean>;
  /** Gives jobs back, without using up an attempt unless it is to stay counted. */
  release(leases: readonly Lease[], options?: Counting): Promise<void>;
  /**
   * Records a failed attempt, as the last of these failures; the job comes back after `delay`
   * milliseconds. False when the lease is stale.
   */
  retry(lease: Lease, failures: readonly Failure[], delay: number): Promise<boolean>;
  /**
   * Puts a job off for `delay` milliseconds, without using up an attempt unless it is to stay
   * counted. False when the lease is stale.
   */
  snooze(lease: Lease, delay: number, options?: Counting): Promise<boolean>;
  /**
   * Makes due jobs available, at most `limit`; an advance yields to one that waits already. Returns
   * their queues.
   */
  stage(limit: number): Promise<readonly string[]>;
  /**
   * Declares processes whose lease has ended dead and makes their jobs available. The attempt of a
   * job stays counted when nothing else was executing beside it, or when that has happened to it
   * {@linkcode deathsInCompany} times. The `rescuer` lives, however late it is.
   */
  rescue(rescuer?: string): Promise<Rescued>;
  /** Milliseconds until the next scheduled job is due, at most `atMost`. */
  nextDue(atMost: number): Promise<number>;
  /** Due jobs that no living process can take, counted up to a thousand in each queue. */
  unserved(): Promise<readonly Unserved[]>;
  /**
   * Deletes at most `limit` discarded and cancelled jobs that ended more than `age` milliseconds
   * ago.
   */
  prune(age: number, limit: number): Promise<number>;
  /**
   * Calls `wake` with the queues that may have got work, and with none when it begins to hear:
   * notifications may have been missed before. Calls `trouble` when it cannot hear, and goes on
   * trying.
   */
  listen(
    wake: (queues: readonly string[]) => void,
    trouble?: (error: unknown) => void,
  ): AsyncDisposable;
}
