import type { JobState } from "../queue/job.ts";
import type { Backend } from "../store/store.ts";
import { type Clock, systemClock } from "./clock.ts";
import { memoryQueue } from "./queue.ts";
import type { JobRow } from "./rows.ts";
import { memoryStore } from "./store.ts";
import { Tables } from "./tables.ts";

/** A job that a memory backend holds. */
export interface StoredJob {
  readonly id: string;
  readonly kind: string;
  readonly instance: string;
  readonly step: string | undefined;
  readonly queue: string;
  readonly state: JobState;
  readonly attempt: number;
  /** The process that owns it while it executes. */
  readonly process: string | undefined;
  /** When it may be claimed, or might have been. */
  readonly scheduledAt: Date;
  /** When it was discarded or cancelled. */
  readonly finishedAt: Date | undefined;
}

/** Instances, results and jobs in this process's memory: gone with it. */
export interface MemoryBackend extends Backend {
  /** Where it takes the time from. */
  readonly clock: Clock;
  /** The jobs that it holds, in the order of their ids. */
  jobs(): readonly StoredJob[];
}

/**
 * Keeps workflows in memory, for tests and for trying things out.
 *
 * It meets the same contract as PostgreSQL does, without a database: one process, nothing survives it, and a transaction of
 * the caller's cannot be joined.
 *
 * @param options `clock` is where the time comes from; the system's unless told.
 *
 * @example Nothing is there at first
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memory } from "@hephaestus/workflow/testing";
 *
 * await using backend = memory();
 *
 * assertEquals(await backend.store.list({ limit: 10 }), []);
 * assertEquals(backend.jobs(), []);
 * ```
 */
export function memoryBackend(options: { readonly clock?: Clock } = {}): MemoryBackend {
  const clock = options.clock ?? systemClock;
  const tables = new Tables(clock);
  return {
    name: "memory",
    clock,
    queue: memoryQueue(tables),
    store: memoryStore(tables),
    jobs: () => [...tables.jobs.all()].sort((a, b) => Number(a.id) - Number(b.id)).map(toStored),
    ready: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => {
      tables.close();
      return Promise.resolve();
    },
  };
}

function toStored(row: JobRow): StoredJob {
  return {
    id: row.id,
    kind: row.kind,
    instance: row.instance,
    step: row.step,
    queue: row.queue,
    state: row.state,
    attempt: row.attempt,
    process: row.process,
    scheduledAt: new Date(row.scheduledAt),
    finishedAt: row.finishedAt === undefined ? undefined : new Date(row.finishedAt),
  };
}
