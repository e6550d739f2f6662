import type { Backend } from "../backend/storage.ts";
import { type Duration, milliseconds } from "../core/value/duration.ts";
import { isPrintable } from "../core/value/identity.ts";
import { checkNames, type OptionNames } from "../core/value/option_names.ts";
import type { RetryPolicy } from "../core/value/retry.ts";
import type { Logger } from "../observe/logger.ts";
import type { PostgresOptions } from "../postgres/backend.ts";
import type { QueueNames } from "../runner/runtime.ts";
import type { AnyWorkflow } from "./find.ts";

/** The options of a {@linkcode Hephaestus}. */
export interface HephaestusOptions extends PostgresOptions {
  /** A backend to use instead of PostgreSQL: `memory()` of `@hephaestus/workflow/testing`. */
  readonly backend?: Backend | undefined;
  /** The workflows that this process has code for. */
  readonly workflows: readonly AnyWorkflow[];
  /**
   * The queue of each kind of job, for steps that do not name their own. Default: `"default"` for
   * all.
   */
  readonly queues?: Partial<QueueNames> | undefined;
  /** Whether the process that ran a step advances the instance itself. Default: true. */
  readonly inline?: boolean | undefined;
  /**
   * The retry policy for steps and workflows that do not set their own. Default: 5 attempts,
   * exponential with jitter, at most 60 seconds.
   */
  readonly retry?: RetryPolicy | undefined;
  /**
   * The maximum size of an input, an output or a delivery as JSON, in bytes. Default: 1,048,576.
   */
  readonly payloadLimit?: number | undefined;
  /**
   * Receives messages about what happens outside any call of the user. Default: warnings and errors
   * to the console.
   */
  readonly logger?: Logger | undefined;
}

const engineOptions: OptionNames<HephaestusOptions> = {
  backend: true,
  connections: true,
  database: true,
  host: true,
  idleTimeout: true,
  inline: true,
  logger: true,
  notify: true,
  password: true,
  payloadLimit: true,
  poolSize: true,
  port: true,
  prepare: true,
  queues: true,
  retry: true,
  schema: true,
  ssl: true,
  statementTimeout: true,
  url: true,
  user: true,
  workflows: true,
};

/** Rejects unknown options at run time too, for callers in plain JavaScript. */
export function checkOptions(options: unknown): asserts options is HephaestusOptions {
  checkNames("create an engine", options, engineOptions);
  const { queues, retry } = options as HephaestusOptions;
  if (queues !== undefined) checkQueues(queues);
  if (retry !== undefined) checkNames("use the option retry", retry, retryNames);
}

function checkQueues(queues: Partial<QueueNames>): void {
  checkNames("use the option queues", queues, queueNames);
  for (const [worker, queue] of Object.entries(queues)) {
    if (queue === undefined || isPrintable(queue)) continue;
    throw new TypeError(
      `Cannot use the option queues: the queue of ${worker} is not a string of 1 to 200 printable characters`,
    );
  }
}

const queueNames: OptionNames<QueueNames> = { advance: true, execute: true, resume: true };
const retryNames: OptionNames<RetryPolicy> = {
  attempts: true,
  backoff: true,
  base: true,
  max: true,
};

/** The options of a worker. */
export interface WorkOptions {
  /** How many jobs of each queue run concurrently. Default: `{ default: 10 }`. */
  readonly queues?: { readonly [queue: string]: number } | undefined;
  /** The name of the process in the database. Default: host and process id. */
  readonly name?: string | undefined;
  /** How long running steps may continue after `stop`. Default: `"30s"`. */
  readonly grace?: Duration | undefined;
  /**
   * How often to look for jobs when no notification arrives. Default: `"2s"`. Jobs that were
   * inserted by a transaction of more than ten seconds may then be found half a minute later.
   */
  readonly poll?: Duration | undefined;
  /** How often to extend the lease. Default: `"5s"`. */
  readonly heartbeat?: Duration | undefined;
  /** How long a process may be silent before it is declared dead. Default: `"30s"`. */
  readonly lease?: Duration | undefined;
  /** How long discarded and cancelled jobs are kept. Default: `"7d"`. */
  readonly keepJobs?: Duration | undefined;
  /**
   * How long an attempt of a step may run before a warning is logged, once per attempt. False or
   * `0` turns this off. Default: `"5m"`.
   */
  readonly warnAfter?: Duration | false | undefined;
  /** Stops the worker when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

const workOptions: OptionNames<WorkOptions> = {
  grace: true,
  heartbeat: true,
  keepJobs: true,
  lease: true,
  name: true,
  poll: true,
  queues: true,
  signal: true,
  warnAfter: true,
};

/** Converts work options to milliseconds. Throws an error that explains an invalid option. */
export function workTimes(options: WorkOptions): {
  readonly queues: ReadonlyMap<string, number>;
  readonly grace: number;
  readonly poll: number;
  readonly heartbeat: number;
  readonly lease: number;
  readonly keep: number;
  readonly warnAfter: number;
} {
  checkNames("start the worker", options, workOptions);
  const {
    queues = { default: 10 },
    grace = "30s",
    poll = "2s",
    heartbeat = "5s",
    lease = "30s",
    keepJobs = "7d",
    warnAfter = "5m",
  } = options;
  for (const [queue, limit] of Object.entries(queues)) {
    if (Number.isInteger(limit) && limit > 0 && limit <= 100_000) continue;
    throw new RangeError(
      `Cannot work on queue "${queue}": its limit ${
        String(limit)
      } is not a whole number from 1 to 100,000`,
    );
  }
  const times = {
    grace: milliseconds(grace, "grace"),
    poll: milliseconds(poll, "poll"),
    heartbeat: milliseconds(heartbeat, "heartbeat"),
    lease: milliseconds(lease, "lease"),
    keep: milliseconds(keepJobs, "keepJobs"),
    warnAfter: warnAfter === false ? 0 : milliseconds(warnAfter, "warnAfter"),
  };
  if (times.poll < 1 || times.heartbeat < 1) {
    throw new RangeError("Cannot start the worker: poll and heartbeat must be longer than 0");
  }
  if (times.lease < 2 * times.heartbeat) {
    throw new RangeError(
      "Cannot start the worker: the lease must be at least two heartbeats, or the process would be declared dead",
    );
  }
  return { queues: new Map(Object.entries(queues)), ...times };
}
