import type { JobState } from "../queue/job.ts";
import type { AnyBackend, Backend } from "../store/store.ts";
import { type Clock, systemClock } from "./clock.ts";
import { memoryQueue } from "./queue.ts";
import type { JobRow } from "./rows.ts";
import { memoryStore } from "./store.ts";
import { Tables } from "./tables.ts";

export type { AnyBackend };

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

/** Instances, results and jobs in this process's memory: gone with it. */
export interface MemoryBackend extends AnyBackend {
  /** Where it takes the time from. */
  readonly clock: Clock;
  /** The jobs that it holds, in the order of their ids. */
  jobs(): readonly StoredJob[];
}

/** Queue and store in memory, on the system's clock unless told. */
export function memoryBackend(options: { readonly clock?: Clock } = {}): MemoryBackend & Backend {
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
