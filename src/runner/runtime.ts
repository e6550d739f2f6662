import type { Storage } from "../backend/storage.ts";
import type { RetryPolicy } from "../core/value/retry.ts";
import type { Logger } from "../observe/logger.ts";
import type { Telemetry } from "../observe/telemetry.ts";
import type { Graphs } from "./graphs.ts";
import type { JobIds } from "./job_ids.ts";
import type { Registry } from "./registry.ts";

/** The queue of each worker. */
export interface QueueNames {
  /** Queue of the jobs that advance an instance. */
  readonly advance: string;
  /** Queue of the jobs that run a step. */
  readonly execute: string;
  /** Queue of the jobs of timers and scheduled deliveries. */
  readonly resume: string;
}

/** What the workers and the client share. */
export interface Runtime {
  readonly backend: Storage;
  readonly registry: Registry;
  readonly graphs: Graphs;
  readonly ids: JobIds;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly queues: QueueNames;
  /** Whether the process that ran a step may advance the instance itself. */
  readonly inline: boolean;
  /** For steps and workflows without a retry policy of their own. */
  readonly retry: RetryPolicy | undefined;
  /** Maximum size of one value as JSON, in bytes. */
  readonly payloadLimit: number;
  readonly random: () => number;
}
