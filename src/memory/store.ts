import type { CallerTransaction, Store } from "../backend/store.ts";
import type { Sql } from "../core/define/context.ts";
import { commit, commitLocked, pass, record } from "./instances/commit.ts";
import { fork } from "./instances/fork.ts";
import { reopen } from "./instances/reopen.ts";
import { cancelScheduled, deleteInstance, deliver } from "./instances/deliver.ts";
import { compare } from "./instances/graphs.ts";
import { open } from "./instances/open.ts";
import {
  ended,
  endedBetween,
  history,
  list,
  page,
  toState,
  unprocessed,
} from "./instances/read.ts";
import { insertJob } from "./jobs/insert.ts";
import { type MemoryTables, run } from "./tables.ts";
import { transaction } from "./transaction.ts";

/** Implements the store contract on tables in memory. */
export function memoryStore(tables: MemoryTables, sql: Sql): Store {
  return {
    open: (process, instances, tx) =>
      run(tables, () => {
        refuse(tx, "start");
        return open(tables, process, instances);
      }),

    compare: (graphs) => run(tables, () => compare(tables, graphs)),

    read: (ids) =>
      run(tables, () =>
        [...new Set(ids)].flatMap((id) => {
          const row = tables.instances.get(id);
          return row === undefined ? [] : [toState(row)];
        })),

    unprocessed: (ids) => run(tables, () => unprocessed(tables, [...new Set(ids)])),

    ended: (instance, steps) => run(tables, () => ended(tables, instance, steps)),

    endedBetween: (instance, step, first, last) =>
      run(tables, () => endedBetween(tables, instance, step, first, last)),

    commit: (process, turns) => run(tables, () => commit(tables, process, turns)),

    pass: (passes) => run(tables, () => pass(tables, passes)),

    record: (records) => run(tables, () => record(tables, records)),

    transaction: (work) => transaction(tables, sql, work),

    deliver: (delivery, tx) =>
      run(tables, () => {
        refuse(tx, "resume");
        return deliver(tables, delivery);
      }),

    schedule: (job, tx) =>
      run(tables, () => {
        refuse(tx, "schedule");
        if (tables.jobs.get(job.id) === undefined) insertJob(tables, job, undefined);
        return true;
      }),

    cancelScheduled: (id) => run(tables, () => cancelScheduled(tables, id)),

    commitLocked: (instance, turn, tx) =>
      run(tables, () => {
        refuse(tx, "cancel");
        return commitLocked(tables, instance, turn);
      }),

    reopen: (instance, reopening, tx) =>
      run(tables, () => {
        refuse(tx, "retry or rewind");
        return reopen(tables, instance, reopening);
      }),

    fork: (source, forking, tx) =>
      run(tables, () => {
        refuse(tx, "fork");
        return fork(tables, source, forking);
      }),

    delete: (instance, { force = false, tx } = {}) =>
      run(tables, () => {
        refuse(tx, "delete");
        return deleteInstance(tables, instance, force);
      }),

    list: (filter, tx) =>
      run(tables, () => {
        refuse(tx, "list instances");
        return list(tables, filter);
      }),

    page: (filter, after) => run(tables, () => page(tables, filter, after)),

    watch: (ended) => tables.ended.listen(ended),

    history: (instance) => run(tables, () => history(tables, instance)),
  };
}

function refuse(tx: CallerTransaction | undefined, action: string): void {
  if (tx === undefined) return;
  throw new TypeError(
    `Cannot ${action} in the caller's transaction: the memory backend has no database to share`,
  );
}
