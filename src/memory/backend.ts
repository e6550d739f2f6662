import type { Backend, Storage } from "../backend/storage.ts";
import type { Sql } from "../core/define/context.ts";
import { type Clock, type StoredJob, systemClock, type Waiting } from "./clock.ts";
import { memoryQueue } from "./queue.ts";
import type { JobRecord } from "./rows.ts";
import { memoryStore } from "./store.ts";
import { MemoryTables } from "./tables.ts";

export type { Backend };

/** Instances, results and jobs in this process's memory. They are lost when it ends. */
export interface MemoryBackend extends Backend, Waiting {
  /** Where it reads the time from. */
  readonly clock: Clock;
}

/** Options of a memory backend. */
export interface MemoryOptions {
  /** Source of the time. Default: the system clock. */
  readonly clock?: Clock;
  /**
   * The value passed to the callback of `tx`, for example a test's database. Default: an object
   * that rejects every statement.
   */
  readonly sql?: Sql;
}

/** Queue and store in memory. */
export function memoryBackend(
  { clock = systemClock, sql = noSql }: MemoryOptions = {},
): MemoryBackend & Storage {
  const tables = new MemoryTables(clock);
  const seen = {
    jobs: () => [...tables.jobs.all()].sort((a, b) => Number(a.id) - Number(b.id)).map(toStored),
    serves: (queue: string) =>
      [...tables.claimers.get(queue) ?? []].some((id) => tables.processes.get(id) !== undefined),
  };
  const stopClock = clock.onMove?.(() => tables.woken.notify([]), seen);
  return {
    ...seen,
    name: "memory",
    clock,
    queue: memoryQueue(tables),
    store: memoryStore(tables, sql),
    ready: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => {
      stopClock?.();
      tables.close();
      return Promise.resolve();
    },
  };
}

const refuseSql = () =>
  Promise.reject(
    new TypeError(
      "Cannot run a statement of tx: the memory backend has no database. Pass one with memory({ sql })",
    ),
  );
const noSql: Sql = Object.assign(refuseSql, { query: refuseSql });

function toStored(row: JobRecord): StoredJob {
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
