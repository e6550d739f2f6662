import type { Queue } from "../queue/queue.ts";
import { reporting } from "./connection_error.ts";
import type { Db, Tx } from "./db.ts";
import { free, release, stage } from "./give_back.ts";
import * as jobs from "./jobs.ts";
import * as processes from "./processes.ts";
import { retrying } from "./retrying.ts";
import type { Tables } from "./tables.ts";

/** What the queue needs of the backend. */
export interface QueueParts {
  readonly db: Db;
  /** A connection of its own: a heartbeat must not wait behind work. */
  readonly pulse: Db;
  readonly t: Tables;
  /** Tells other processes that these queues got work. */
  readonly notify: (on: Pick<Tx, "query">, queues: readonly string[]) => Promise<void>;
  readonly listen: Queue["listen"];
}

/** The queue on PostgreSQL: one statement or one transaction for each method. */
export function postgresQueue({ db, pulse, t, notify, listen }: QueueParts): Queue {
  const telling = async (queues: Promise<readonly string[]>) => {
    await notify(db, await queues);
    return queues;
  };
  return {
    register: (name, lease) => reporting(() => processes.register(pulse, t, name, lease)),
    heartbeat: (process, lease) => reporting(() => processes.heartbeat(pulse, t, process, lease)),
    // A start, a claim or a turn in flight holds the row: what it hands over is there once the row is deleted.
    unregister: (process) =>
      reporting(() =>
        pulse.transaction(async (tx) => {
          await processes.unregister(tx, t, process);
          await notify(tx, await free(tx, t, [process], "leaving"));
        })
      ),
    reserveIds: () => reporting(() => retrying(() => jobs.reserveIds(db, t), { deadline: 5_000 })),
    claim: (demand) => reporting(() => jobs.claim(db, t, demand)),
    release: (leases, options) =>
      reporting(async () => void await telling(release(db, t, leases, options))),
    retry: (lease, failures, delay) => reporting(() => jobs.retry(db, t, lease, failures, delay)),
    snooze: (lease, delay, options) => reporting(() => jobs.snooze(db, t, lease, delay, options)),
    stage: (limit) => reporting(() => telling(stage(db, t, limit))),
    rescue: (rescuer) =>
      reporting(async () => {
        if (!(await processes.anyExpired(pulse, t, rescuer))) return { processes: [], queues: [] };
        return await pulse.transaction(async (tx) => {
          const dead = await processes.declareDead(tx, t, rescuer);
          const queues = dead.length > 0 ? await free(tx, t, dead, "dead") : [];
          await notify(tx, queues);
          return { processes: dead, queues };
        });
      }),
    nextDue: (atMost) => reporting(() => jobs.nextDue(db, t, atMost)),
    unserved: (serves) => reporting(() => jobs.unserved(db, t, serves)),
    prune: (age, limit) => reporting(() => jobs.prune(db, t, age, limit)),
    listen,
  };
}
