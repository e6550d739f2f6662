import type { Failure } from "../core/value/failure.ts";
import type { Due } from "../core/value/time.ts";

/** A job's id: a bigint in decimal digits. */
export type JobId = string;

/** The state of a job. A completed job is deleted. */
export type JobState =
  | "available"
  | "scheduled"
  | "executing"
  | "retryable"
  | "discarded"
  | "cancelled";

/** What a job is about. The queue stores it and returns it; it filters only by name and version. */
export interface Subject {
  readonly kind: string;
  /**
   * The workflow and version whose code the job needs. A process claims only the jobs of the
   * workflows that it serves.
   */
  readonly workflow: string;
  readonly version: number;
  readonly instance: string;
  readonly step: string | undefined;
  /** The activation of the step that the job is for. */
  readonly activation: number;
}

/** A job to insert. The store adds the tags and the metadata of its instance. */
export interface NewJob extends Subject {
  readonly id: JobId;
  readonly queue: string;
  /** Priority from 0, the most urgent, to 9. Default: 5. */
  readonly priority: number;
  /** The maximum number of attempts; `undefined` for no limit. */
  readonly maxAttempts: number | undefined;
  /** Milliseconds until the job may be claimed; 0 means at once. */
  readonly delay: number;
  /** When it may be claimed, instead of a delay. In the past means at once. */
  readonly due?: Date | undefined;
  /** The deadline of its step, from when it is inserted. It is kept in the arguments of the job. */
  readonly deadline?: Due | undefined;
  /** Insert it as executing, owned by the process that commits it. */
  readonly owned: boolean;
  /** JSON text. */
  readonly args: string | undefined;
}

/** A job that a process has claimed. */
export interface Job extends Subject {
  readonly id: JobId;
  readonly queue: string;
  readonly priority: number;
  /** The number of this attempt. */
  readonly attempt: number;
  /** When this attempt began, by the clock of the store: milliseconds since 1970. */
  readonly at: number;
  /**
   * Incremented whenever the job is claimed or its row is reused. Together with the owner, it
   * fences every verdict.
   */
  readonly token: number;
  readonly maxAttempts: number | undefined;
  /** How many processes died while running it. */
  readonly deaths: number;
  readonly errors: readonly Failure[];
  readonly args: unknown;
}

/** In the job that ends an instance at its deadline: no step can have this name. */
export const deadlineStep = "!deadline";

/** In the job that cancels a child whose step was withdrawn: no step can have this name. */
export const withdrawnStep = "!withdrawn";

/** The arguments of a job with a deadline. */
export interface WithDeadline {
  /** Milliseconds since 1970, by the clock of the store. */
  readonly deadline: number;
}

/**
 * A job that was executing next to other jobs when its process died runs alone after this many such
 * deaths. Until then its attempt is given back, because another job may have killed the process.
 */
export const deathsInCompany = 2;

/**
 * An advance whose process died this many times, the last times while it ran alone, no longer runs
 * choices: one of them kills the process.
 */
export const mostDeaths = 5;
