import type { Logger } from "../observe/logger.ts";
import type { RetryPolicy } from "../core/value/retry.ts";
import type { Telemetry } from "../observe/telemetry.ts";
import type { Storage } from "../backend/store.ts";
import type { Graphs } from "./graphs.ts";
import type { JobIds } from "./job_ids.ts";
import type { Registry } from "./registry.ts";

/** The queue of each worker. */
export interface QueueNames {
  /** Where the jobs that move an instance go. */
  readonly advance: string;
  /** Where the jobs that run a step go. */
  readonly execute: string;
  /** Where the jobs of timers and scheduled deliveries go. */
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
  /** Whether the process that has run a step may advance the instance itself. */
  readonly inline: boolean;
  /** For steps and workflows that say nothing. */
  readonly retry: RetryPolicy | undefined;
  /** Bytes that one value may take as JSON. */
  readonly payloadLimit: number;
  readonly random: () => number;
}
