import type { Failure } from "../core/value/failure.ts";

/** A job's id: a bigint in decimal digits. */
export type JobId = string;

/** Where a job stands. A job that completes is deleted. */
export type JobState =
  | "available"
  | "scheduled"
  | "executing"
  | "retryable"
  | "discarded"
  | "cancelled";

/**
 * What a job is about. The queue carries it and hands it back; it filters by name and version only.
 */
export interface Subject {
  readonly kind: string;
  /**
   * The definition whose code the job needs, with its version: a process claims only what it
   * serves.
   */
  readonly workflow: string;
  readonly version: number;
  readonly instance: string;
  readonly step: string | undefined;
  /** Which running of the step it is for. */
  readonly activation: number;
}

/** A job to be put in. The store adds the tags and the metadata of its instance. */
export interface NewJob extends Subject {
  readonly id: JobId;
  readonly queue: string;
  /** 0 is the most urgent, 9 the least. Default: 5. */
  readonly priority: number;
  /** How many attempts it has; `undefined` when it is never given up. */
  readonly maxAttempts: number | undefined;
  /** Milliseconds from now until it may be claimed; 0 is at once. */
  readonly delay: number;
  /** Inserted as executing and owned by the process that commits it. */
  readonly owned: boolean;
  /** JSON text. */
  readonly args: string | undefined;
}

/** A job that a process has claimed. */
export interface Job extends Subject {
  readonly id: JobId;
  readonly queue: string;
  readonly priority: number;
  /** Counts this attempt. */
  readonly attempt: number;
  /**
   * Counts the claims and hand-overs of its row: together with the owner it fences every verdict.
   */
  readonly token: number;
  readonly maxAttempts: number | undefined;
  /** How often the process died that ran it. */
  readonly deaths: number;
  readonly errors: readonly Failure[];
  readonly args: unknown;
}

/**
 * A job that was executing in company when its process died, so often, runs alone from then on.
 * Before that its attempt is given back: whoever killed the process, its neighbours need not pay.
 */
export const deathsInCompany = 2;

/**
 * An advance whose process died so often, the last times alone, runs no choice any more: one of
 * them kills the process.
 */
export const mostDeaths = 5;
