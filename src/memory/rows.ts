import type { JobState, NewJob } from "../backend/job.ts";
import type { Serving } from "../backend/queue.ts";
import type { NewResult } from "../backend/turn.ts";
import type { InstanceStatus } from "../core/engine/instance.ts";

/**
 * A row of the instances table. Values from callers are kept as JSON text, so that they cannot be
 * shared or changed.
 */
export interface InstanceRecord {
  readonly id: string;
  readonly revision: number;
  readonly workflow: string;
  readonly version: number;
  readonly graph: string | undefined;
  readonly key: string;
  readonly uniqueKey: string | undefined;
  readonly status: InstanceStatus;
  readonly control: string;
  readonly tags: readonly string[];
  readonly metadata: string;
  readonly error: string | undefined;
  readonly input: string;
  readonly insertedAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | undefined;
}

export interface ResultRecord extends NewResult {
  readonly instance: string;
  readonly version: number;
  /** Orders rows that were inserted at the same time. */
  readonly sequence: number;
  readonly processed: boolean;
  readonly appliedRevision: number | undefined;
  readonly causes: readonly string[] | undefined;
  readonly delivery: string | undefined;
  readonly process: string | undefined;
  readonly startedAt: number | undefined;
  readonly insertedAt: number;
}

export interface JobRecord extends Omit<NewJob, "delay" | "due" | "deadline" | "owned"> {
  readonly tags: readonly string[];
  readonly metadata: string | undefined;
  readonly state: JobState;
  readonly attempt: number;
  readonly token: number;
  readonly deaths: number;
  readonly process: string | undefined;
  readonly scheduledAt: number;
  readonly attemptedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly errors: string | undefined;
}

export interface ProcessRow {
  readonly id: string;
  readonly name: string;
  readonly expiresAt: number;
  readonly serving: Serving | undefined;
}
