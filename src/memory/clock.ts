import type { JobState } from "../backend/job.ts";

/** The time source of a memory backend. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls `moved` whenever the time is changed, until the returned function is called. `backend`
   * reports what waits for the time.
   */
  onMove?(moved: () => void, backend: Waiting): () => void;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A job in a memory backend. */
export interface StoredJob {
  /** Its id. */
  readonly id: string;
  /** `"advance"`, `"execute"` or `"resume"`. */
  readonly kind: string;
  /** Id of its instance. */
  readonly instance: string;
  /** Name of its step; `undefined` for an advance. */
  readonly step: string | undefined;
  /** Name of its queue. */
  readonly queue: string;
  /** Its state. */
  readonly state: JobState;
  /** How many attempts have begun. */
  readonly attempt: number;
  /** The process that owns it while it executes. */
  readonly process: string | undefined;
  /** When it may be claimed, or could have been. */
  readonly scheduledAt: Date;
  /** When it was discarded or cancelled. */
  readonly finishedAt: Date | undefined;
}

/** What waits in a memory backend. */
export interface Waiting {
  /** Its jobs, ordered by id. */
  jobs(): readonly StoredJob[];
  /** Whether a running worker takes jobs from this queue. */
  serves(queue: string): boolean;
}
