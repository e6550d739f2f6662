import type { Failure } from "../core/value/failure.ts";
import type { Job, JobId } from "./job.ts";

/** A version of a workflow whose code a process has. */
export interface Served {
  readonly workflow: string;
  readonly version: number;
}

/** The queues and workflows that a process serves. */
export interface Serving {
  readonly queues: readonly string[];
  /** Each with the fingerprint of the graph in the process's code. */
  readonly workflows: readonly (Served & { readonly graph?: string })[];
}

/** A request for up to `limit` jobs of one queue. */
export interface Demand {
  readonly process: string;
  readonly queue: string;
  readonly limit: number;
  readonly serves: readonly Served[];
  /** Looks only at jobs that became due in the last `since` milliseconds. Default: all due jobs. */
  readonly since?: number | undefined;
}

/** The request of an idle process for one job that must run alone, from any of its queues. */
export interface LoneDemand {
  readonly process: string;
  readonly queues: readonly string[];
  readonly serves: readonly Served[];
}

/** A job that was executing in a process that was declared dead. */
export interface OrphanedJob {
  readonly process: string;
  readonly job: JobId;
  readonly kind: string;
  readonly workflow: string;
  readonly version: number;
  /** The business key of its instance; `undefined` when the instance no longer exists. */
  readonly key: string | undefined;
  readonly instance: string;
  readonly step: string | undefined;
  /** The number of the attempt that was running. */
  readonly attempt: number;
  readonly maxAttempts: number | undefined;
}

/** The result of a rescue. */
export interface Rescued {
  readonly processes: readonly string[];
  /** The queues that received jobs. */
  readonly queues: readonly string[];
  /** The jobs that were running, up to {@linkcode namedAtMost}. */
  readonly running: readonly OrphanedJob[];
}

/** The maximum number of jobs that a rescue lists. */
export const namedAtMost = 50;

/** The result of a heartbeat. */
export interface Beat {
  /** The jobs that this process owns according to the database. */
  readonly owned: readonly Lease[];
}

/** Proof of ownership. A verdict with a stale lease has no effect. */
export interface Lease {
  readonly process: string;
  readonly id: JobId;
  readonly token: number;
}

/** Due jobs that no living process can run. */
export interface Unserved extends Served {
  readonly queue: string;
  readonly count: number;
  /** The step of one of the jobs. */
  readonly step: string | undefined;
  /**
   * Whether a living process serves the queue, and whether one has the code. If both are true, they
   * are different processes.
   */
  readonly hasQueue: boolean;
  readonly hasCode: boolean;
  /** The queues that living processes serve. */
  readonly servedQueues: readonly string[];
}

/** Whether the attempt still counts. */
export interface Counting {
  readonly counted?: boolean;
}

/**
 * A durable job queue. Every method is one statement or one transaction and can safely be repeated
 * when its response was lost.
 */
export interface Queue {
  /**
   * Registers a process and returns its id. Ids are never reused. `lease` is in milliseconds. A
   * process without `serving` is assumed to serve everything.
   */
  register(name: string, lease: number, serving?: Serving): Promise<string>;
  /**
   * Extends the lease by `lease` milliseconds. Returns `undefined` when the process has been
   * declared dead: it must register again and gets a new id.
   */
  heartbeat(process: string, lease: number): Promise<Beat | undefined>;
  /** Removes the process. Jobs that it still owns are given back without using up an attempt. */
  unregister(process: string): Promise<void>;
  /** Reserves a block of ids: `from` (inclusive) to `to` (exclusive). */
  reserveIds(): Promise<{ readonly from: number; readonly to: number }>;
  /**
   * Claims available jobs, the most urgent first and then the oldest, and counts the attempt. Skips
   * jobs that must run alone.
   */
  claim(demand: Demand): Promise<readonly Job[]>;
  /** Claims one job that must run alone, and counts the attempt. */
  claimLone(demand: LoneDemand): Promise<Job | undefined>;
  /** Whether a job that must run alone is waiting for a process. */
  loneWaits(demand: Omit<LoneDemand, "process">): Promise<boolean>;
  /** Gives jobs back. The attempt is not used up, unless the options say that it still counts. */
  release(leases: readonly Lease[], options?: Counting): Promise<void>;
  /**
   * Records a failed attempt as the last of `failures`. The job is retried after `delay`
   * milliseconds. Returns false when the lease is stale.
   */
  retry(lease: Lease, failures: readonly Failure[], delay: number): Promise<boolean>;
  /**
   * Postpones a job by `delay` milliseconds. The attempt is not used up, unless the options say
   * that it still counts. Returns false when the lease is stale.
   */
  snooze(lease: Lease, delay: number, options?: Counting): Promise<boolean>;
  /**
   * Makes up to `limit` due jobs available. An advance is dropped instead if its instance already
   * has an available one. Returns the queues of the jobs.
   */
  stage(limit: number): Promise<readonly string[]>;
  /**
   * Declares processes dead whose lease has expired, and makes their jobs available. The attempt of
   * a job counts if it was executing alone, or if its process has died this way
   * {@linkcode deathsInCompany} times. The `rescuer` is alive even if its lease has expired.
   */
  rescue(rescuer?: string): Promise<Rescued>;
  /** Milliseconds until the next scheduled job is due, at most `atMost`. */
  nextDue(atMost: number): Promise<number>;
  /** Due jobs that no living process can run. Counts up to 1,000 per queue. */
  unserved(): Promise<readonly Unserved[]>;
  /**
   * Deletes up to `limit` discarded and cancelled jobs that ended more than `age` milliseconds ago.
   */
  prune(age: number, limit: number): Promise<number>;
  /**
   * Calls `wake` with the queues that may have new jobs. Calls it without queues when listening
   * starts, because earlier notifications may have been missed. Calls `trouble` when listening
   * fails, and keeps trying.
   */
  listen(
    wake: (queues: readonly string[]) => void,
    trouble?: (error: unknown) => void,
  ): AsyncDisposable;
}
