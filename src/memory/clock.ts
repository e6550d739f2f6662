import type { JobState } from "../backend/job.ts";

/** Where the memory backend takes the time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls `moved` whenever somebody moves the time, until the returned function is called.
   * `backend` says what waits for that.
   */
  onMove?(moved: () => void, backend: Waiting): () => void;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A job that a memory backend holds. */
export interface StoredJob {
  /** Its id. */
  readonly id: string;
  /** `"advance"`, `"execute"` or `"resume"`. */
  readonly kind: string;
  /** Id of the instance that it is for. */
  readonly instance: string;
  /** Name of the step that it is for; `undefined` for an advance. */
  readonly step: string | undefined;
  /** Name of the queue that it is in. */
  readonly queue: string;
  /** Where it stands. */
  readonly state: JobState;
  /** How many attempts have begun. */
  readonly attempt: number;
  /** The process that owns it while it executes. */
  readonly process: string | undefined;
  /** When it may be claimed, or might have been. */
  readonly scheduledAt: Date;
  /** When it was discarded or cancelled. */
  readonly finishedAt: Date | undefined;
}

/** What waits in a memory backend. */
export interface Waiting {
  /** The jobs that it holds, in the order of their ids. */
  jobs(): readonly StoredJob[];
  /** Whether a worker that runs takes jobs from this queue. */
  serves(queue: string): boolean;
}
