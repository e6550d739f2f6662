import type { CallerTransaction, Store } from "../store/store.ts";
import { type AnyTransaction, callerTx } from "./callers.ts";
import { commit, commitStatement } from "./commit.ts";
import type { Db, Tx } from "./db.ts";
import * as instances from "./instances.ts";
import * as jobs from "./jobs.ts";
import * as lists from "./lists.ts";
import { open } from "./open.ts";
import { deliver, pass, record, recordStatement } from "./record.ts";
import { retrying } from "./retrying.ts";
import { stepSql } from "./step_sql.ts";
import type { Tables } from "./tables.ts";

/** What the store needs of the backend. */
export interface StoreParts {
  readonly db: Db;
  /** The connections of the commits: they never wait long for a lock that somebody else holds. */
  readonly lanes: Db;
  readonly t: Tables;
  readonly channel: string;
}

/** The store on PostgreSQL. What is fenced or idempotent is repeated after a lost answer; nothing else is. */
export function postgresStore({ db, lanes, t, channel }: StoreParts): Store {
  const committing = commitStatement(t, channel);
  const recording = recordStatement(t, channel);
  const within = <T>(
    tx: CallerTransaction | undefined,
    work: (on: Pick<Tx, "query">) => Promise<T>,
  ): Promise<T> => tx === undefined ? retrying(() => work(db)) : work(callerTx(tx as AnyTransaction));
  return {
    open: (process, started, tx) => within(tx, (on) => open(on, t, channel, process, started)),
    read: (ids) => retrying(() => instances.read(db, t, ids)),
    unprocessed: (ids) => retrying(() => instances.unprocessed(db, t, ids)),
    ended: (instance, steps) => retrying(() => instances.ended(db, t, instance, steps)),
    commit: (process, turns) => commit(lanes, committing, process, turns),
    pass: (passes) => pass(lanes, t, passes),
    record: (recordings) => record(lanes, recording, recordings),
    transaction: (work) =>
      db.transaction((tx) =>
        work({
          sql: stepSql(tx),
          commit: (process, turns) => commit(tx, committing, process, turns),
          record: (recordings) => record(tx, recording, recordings),
        })
      ),
    deliver: (delivery, tx) =>
      within(tx, (on) => deliver(on, t, channel, delivery, tx === undefined)),
    schedule: (job, tx) => within(tx, (on) => jobs.insert(on, t, job)),
    cancelScheduled: (id) => retrying(() => jobs.cancelScheduled(db, t, id)),
    end: async (instance, decide, { discard, tx } = {}) => {
      if (tx !== undefined) {
        return instances.end(callerTx(tx as AnyTransaction), t, instance, decide, undefined);
      }
      try {
        return await retrying(() => db.transaction((on) => instances.end(on, t, instance, decide, discard)));
      } catch (error) {
        if (error === instances.staleLease) return { kind: "stale" };
        throw error;
      }
    },
    list: (filter, tx) => within(tx, (on) => lists.list(on, t, filter)),
    history: (instance) => retrying(() => lists.history(db, t, instance)),
  };
}
