import type { CallerTransaction, Reopened, Store, Written } from "../backend/store.ts";
import type { Turn } from "../backend/turn.ts";
import { HephaestusError } from "../core/errors/errors.ts";
import type { Db, Queryable, Tx } from "./driver/contract.ts";
import {
  describe,
  failed,
  isImpatience,
  isRetryable,
  reporting,
  sqlState,
} from "./driver/errors.ts";
import { retrying } from "./driver/retrying.ts";
import { commit, commitLocked } from "./instances/commit.ts";
import { deleteInstance } from "./instances/delete.ts";
import { fork } from "./instances/fork.ts";
import { compare } from "./instances/graphs.ts";
import * as lists from "./instances/list.ts";
import { open } from "./instances/open.ts";
import * as instances from "./instances/read.ts";
import { reopen } from "./instances/reopen.ts";
import { deliver, pass, record, recordStatement } from "./instances/record.ts";
import * as jobs from "./jobs/jobs.ts";
import type { ExplainError } from "./missing.ts";
import type { Channels } from "./notifications.ts";
import type { Tables } from "./sql/tables.ts";
import type { AnyTransaction } from "./user_sql/caller_libraries.ts";
import { CallerTransactions } from "./user_sql/caller_transactions.ts";
import { stepSql } from "./user_sql/step_sql.ts";

/** What the store needs from the backend. */
export interface StoreParts {
  readonly reads: Db;
  readonly calls: Db;
  readonly steps: Db;
  readonly lanes: Db;
  readonly lacking: ExplainError;
  /** Runs between a step's part of a transaction and the engine's. */
  readonly engine: string;
  readonly t: Tables;
  readonly channels: Channels;
  readonly watch: Store["watch"];
  /** Notifies other processes that these queues have new work. */
  readonly notify: (on: Queryable, queues: readonly string[]) => Promise<void>;
}

/**
 * Milliseconds after which a caller gets an error when the database is down. Workers retry without
 * this limit.
 */
const patience = 5_000;

/**
 * The store on PostgreSQL. Fenced or idempotent work is repeated after a lost response; other work
 * is not.
 */
export function postgresStore(parts: StoreParts): Store {
  const { reads, calls, steps, lanes, engine, lacking, t, channels, notify, watch } = parts;
  const recording = recordStatement(t, channels.jobs);
  const callers = new CallerTransactions(reads, t);
  const explain = async (error: unknown): Promise<never> => {
    throw await lacking(error);
  };
  /**
   * Distinguishes an engine statement that timed out on a lock or lacks something from a statement
   * of the step.
   */
  const ours = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => isImpatience(error) ? Promise.reject(describe(error)) : explain(error));
  const within = <T>(
    tx: CallerTransaction | undefined,
    work: (on: Queryable) => Promise<T>,
  ): Promise<T> =>
    reporting(async () =>
      tx === undefined
        ? await admitted(() => retrying(() => work(calls), { deadline: patience }))
        : await work(await callers.use(tx as AnyTransaction)).catch(explain)
    );
  const reading = <T>(work: (on: Queryable) => Promise<T>): Promise<T> =>
    reporting(() => retrying(() => work(reads), { deadline: patience }));
  return {
    open: (process, started, tx) =>
      within(tx, (on) => open(on, t, channels.jobs, process, started)),
    compare: (graphs) => within(undefined, (on) => compare(on, t, graphs)),
    read: (ids) => reading((on) => instances.read(on, t, ids)),
    unprocessed: (ids) => reading((on) => instances.unprocessed(on, t, ids)),
    ended: (instance, steps) => reading((on) => instances.ended(on, t, instance, steps)),
    endedBetween: (...of) => reading((on) => instances.endedBetween(on, t, ...of)),
    commit: (process, turns) =>
      reporting(() => commitAll((some) => commit(lanes, t, channels, process, some), turns)),
    pass: (passes) => reporting(() => retrying(() => pass(lanes, t, passes))),
    record: (recordings) => reporting(() => retrying(() => record(lanes, recording, recordings))),
    transaction: (work) =>
      reporting(() =>
        admitted(() =>
          again(() =>
            steps.transaction((tx) => {
              const on = afterStep(tx, engine);
              return work({
                sql: stepSql(tx),
                open: (process, started) => ours(open(on, t, channels.jobs, process, started)),
                commit: (process, turns) => ours(commit(on, t, channels, process, turns)),
                record: (recordings) => ours(record(on, recording, recordings)),
              });
            })
          )
        )
      ),
    deliver: (delivery, tx) =>
      within(tx, (on) => deliver(on, t, channels.jobs, delivery, tx === undefined)),
    schedule: (job, tx) =>
      within(tx, async (on) => {
        const inserted = await jobs.insert(on, t, job);
        if (inserted && job.delay <= 0) await notify(on, [job.queue]);
        return inserted;
      }),
    cancelScheduled: (id) => within(undefined, (on) => jobs.cancelScheduled(on, t, id)),
    commitLocked: (instance, turn, tx) => {
      const work = (on: Queryable) => commitLocked(on, t, channels, instance, turn);
      if (tx !== undefined) return within(tx, work);
      const trying = () => retrying(() => calls.transaction(work), { deadline: patience });
      return reporting(() => admitted(trying));
    },
    reopen: (instance, reopening, tx) => {
      const work = (on: Queryable) => reopen(on, t, channels, instance, reopening);
      if (tx !== undefined) return within(tx, (on) => work(on).catch(taken));
      const trying = () => retrying(() => calls.transaction(work), { deadline: patience });
      return reporting(() => admitted(() => trying().catch(taken)));
    },
    fork: (source, forking, tx) => {
      const work = (on: Queryable) => fork(on, t, channels, source, forking);
      if (tx !== undefined) return within(tx, work);
      const trying = () => retrying(() => calls.transaction(work), { deadline: patience });
      return reporting(() => admitted(trying));
    },
    delete: (instance, { force = false, tx } = {}) => {
      const work = (on: Queryable) => deleteInstance(on, t, channels.ended, instance, force);
      if (tx !== undefined) return within(tx, work);
      const trying = () => retrying(() => calls.transaction(work), { deadline: patience });
      return reporting(() => admitted(trying));
    },
    watch,
    list: (filter, tx) => within(tx, (on) => lists.list(on, t, filter)),
    page: (filter, after) => within(undefined, (on) => lists.page(on, t, filter, after)),
    history: (instance) => within(undefined, (on) => lists.history(on, t, instance)),
  };
}

/** Another instance has taken the key since it was looked up. */
function taken(error: unknown): Reopened {
  if (sqlState(error) === "23505") return { kind: "taken", by: undefined };
  throw error;
}

const busy = /^(55P03|57014|23505|40P01|40001)$/;

/**
 * Writes a batch. If one instance is locked or got its result elsewhere, the others must not wait
 * for it. They are then written one by one, and those that fail are stale.
 */
async function commitAll(
  write: (turns: readonly Turn[]) => Promise<Written>,
  turns: readonly Turn[],
): Promise<Written> {
  try {
    return await write(turns);
  } catch (error) {
    if (!busy.test(sqlState(error))) throw error;
    const written = new Map<string, Date>();
    if (turns.length === 1) return written;
    for (const turn of turns) {
      for (const [id, at] of await commitAll(write, [turn])) written.set(id, at);
    }
    return written;
  }
}

/**
 * Runs a transaction again after a deadlock or a serialization failure, which a step never sees. A
 * step whose own statement times out on a lock has failed; see {@linkcode ours} for the engine's.
 */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (isImpatience(error)) throw failed(error);
      if (!isRetryable(error) || tries === 5) throw error;
    }
  }
}

/**
 * The step's transaction for the engine's own statements: `engine` runs before the first of them.
 */
function afterStep(tx: Tx, engine: string): Queryable {
  let entered: Promise<void> | undefined;
  return {
    query: async (text, params) => {
      await (entered ??= tx.script(engine));
      return await tx.query(text, params);
    },
  };
}

/**
 * A timeout while waiting for a free connection gets its own code, because the database is
 * reachable.
 */
async function admitted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) !== "POOL_EXHAUSTED") throw error;
    const { message } = error as Error;
    throw new HephaestusError("POOL_EXHAUSTED", `Cannot run a statement: ${message}`, {
      cause: error,
    });
  }
}
