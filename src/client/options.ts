import { type Duration, milliseconds } from "../core/value/duration.ts";
import { isPrintable } from "../core/value/identity.ts";
import type { Logger } from "../observe/logger.ts";
import type { RetryPolicy } from "../core/value/retry.ts";
import type { PostgresOptions } from "../postgres/backend.ts";
import type { QueueNames } from "../runner/runtime.ts";
import type { Backend } from "../backend/store.ts";
import type { AnyWorkflow } from "./find.ts";

/** What a {@linkcode Hephaestus} is made of. */
export interface HephaestusOptions extends PostgresOptions {
  /** A backend of its own instead of PostgreSQL: `memory()` of `@hephaestus/workflow/testing`. */
  readonly backend?: Backend | undefined;
  /** The workflows whose code this process has. */
  readonly workflows: readonly AnyWorkflow[];
  /**
   * The queue of each of the three workers, where a step does not name its own. Default `"default"`
   * for all.
   */
  readonly queues?: Partial<QueueNames> | undefined;
  /** Whether the process that has run a step advances the instance itself. Default true. */
  readonly inline?: boolean | undefined;
  /**
   * For steps and workflows that say nothing: 5 attempts, exponential with jitter, at most 60 s by
   * default.
   */
  readonly retry?: RetryPolicy | undefined;
  /** Bytes that one input, output or delivery may take as JSON. Default 1,048,576. */
  readonly payloadLimit?: number | undefined;
  /**
   * Where the engine writes what nobody called for. Default: warnings and errors to the console.
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

/** Refuses options that nobody reads: plain JavaScript has no compiler. */
export function checkOptions(options: unknown): asserts options is HephaestusOptions {
  checkNames("make an engine", options, engineOptions);
  const { queues, retry } = options as HephaestusOptions;
  if (queues !== undefined) checkQueues(queues);
  if (retry !== undefined) checkNames("use the option retry", retry, retryNames);
}

function checkQueues(queues: Partial<QueueNames>): void {
  checkNames("use the option queues", queues, queueNames);
  for (const [worker, queue] of Object.entries(queues)) {
    if (queue === undefined || isPrintable(queue)) continue;
    throw new TypeError(
      `Cannot use the option queues: the queue of ${worker} is not a text of 1 to 200 printable characters`,
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

/** How a process works. */
export interface WorkOptions {
  /** How many jobs of each queue run at once. Default `{ default: 10 }`. */
  readonly queues?: { readonly [queue: string]: number } | undefined;
  /** What the process is called in the database. Default: host and process id. */
  readonly name?: string | undefined;
  /** How long running steps may go on after `stop`. Default `"30s"`. */
  readonly grace?: Duration | undefined;
  /**
   * How often to look for work when no notification comes. Default `"2s"`. What a transaction of
   * more than ten seconds has put in may be found half a minute later then.
   */
  readonly poll?: Duration | undefined;
  /** How often to prolong the lease. Default `"5s"`. */
  readonly heartbeat?: Duration | undefined;
  /** How long a silent process is believed to live. Default `"30s"`. */
  readonly lease?: Duration | undefined;
  /** How long discarded and cancelled jobs are kept. Default `"7d"`. */
  readonly keepJobs?: Duration | undefined;
  /**
   * How long a step may run before the log mentions it, once for each attempt. False or `0` for
   * never. Default `"5m"`.
   */
  readonly warnAfter?: Duration | false | undefined;
  /** Stops the work when it aborts. */
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

/** Work options in milliseconds. Throws a sentence for what cannot be. */
export function workTimes(options: WorkOptions): {
  readonly queues: ReadonlyMap<string, number>;
  readonly grace: number;
  readonly poll: number;
  readonly heartbeat: number;
  readonly lease: number;
  readonly keep: number;
  readonly warnAfter: number;
} {
  checkNames("work", options, workOptions);
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
      `Cannot work on queue "${queue}": its limit ${String(limit)} is not a whole number from 1`,
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
    throw new RangeError("Cannot work: poll and heartbeat must be longer than 0");
  }
  if (times.lease < 2 * times.heartbeat) {
    throw new RangeError(
      "Cannot work: the lease must last for two heartbeats at least, or the process would be declared dead",
    );
  }
  return { queues: new Map(Object.entries(queues)), ...times };
}

/** The options that a call has. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

const mostNamed = 8;

/** Refuses options that nobody reads: plain JavaScript has no compiler. */
export function checkNames<Options>(
  action: string,
  options: unknown,
  known: OptionNames<Options>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${action}: its options are not an object`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    throw new TypeError(
      `Cannot ${action}: there is no option "${name}"${hint(name, Object.keys(known))}`,
    );
  }
}

function hint(name: string, known: readonly string[]): string {
  const meant = known.find((one) => alike(one, name));
  if (meant !== undefined) return `, did you mean "${meant}"?`;
  return known.length > mostNamed ? "" : `: ${known.join(", ")} can be given`;
}

/** Whether one is the other but for its case, or for a letter or two. */
function alike(one: string, other: string): boolean {
  return distance(one.toLowerCase(), other.toLowerCase()) <= (one.length < 5 ? 1 : 2);
}

/** How many letters must be put in, left out or replaced to get from one to the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to++) {
      const replaced = row[to]! + (letter === other[to] ? 0 : 1);
      next.push(Math.min(replaced, row[to + 1]! + 1, next[to]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
