import type { Queue, Rescued } from "../backend/queue.ts";
import type { Db, Tx } from "./driver/contract.ts";
import { reporting } from "./driver/errors.ts";
import { retrying } from "./driver/retrying.ts";
import { freeDead, freeLeft, release, stage } from "./jobs/give_back.ts";
import * as jobs from "./jobs/jobs.ts";
import * as lone from "./jobs/lone.ts";
import { runBy } from "./jobs/processes.ts";
import * as processes from "./jobs/processes.ts";
import { unserved } from "./jobs/unserved.ts";
import type { Tables } from "./sql/tables.ts";

/** What the queue needs from the backend. */
export interface QueueParts {
  readonly reads: Db;
  readonly calls: Db;
  readonly pulse: Db;
  readonly t: Tables;
  /** Notifies other processes that these queues have new work. */
  readonly notify: (on: Pick<Tx, "query">, queues: readonly string[]) => Promise<void>;
  readonly listen: Queue["listen"];
}

const nobody: Rescued = { processes: [], queues: [], running: [] };

/** The queue on PostgreSQL. Each method is one statement or one transaction. */
export function postgresQueue({ reads, calls, pulse, t, notify, listen }: QueueParts): Queue {
  const telling = async (queues: Promise<readonly string[]>) => {
    await notify(calls, await queues);
    return queues;
  };
  return {
    register: (name, lease, serving) =>
      reporting(() => processes.register(pulse, t, name, lease, serving)),
    heartbeat: (process, lease) => reporting(() => processes.heartbeat(pulse, t, process, lease)),
    // A start, a claim or a turn in progress holds the row. Once the row is deleted, the jobs they
    // handed over are visible.
    unregister: (process) =>
      reporting(() =>
        pulse.transaction(async (tx) => {
          await processes.unregister(tx, t, process);
          await notify(tx, await freeLeft(tx, t, process));
        })
      ),
    reserveIds: () =>
      reporting(() => retrying(() => jobs.reserveIds(reads, t), { deadline: 5_000 })),
    claim: (demand) => reporting(() => jobs.claim(reads, t, demand)),
    claimLone: (demand) => reporting(() => lone.claimLone(reads, t, demand)),
    loneWaits: (demand) => reporting(() => lone.loneWaits(reads, t, demand)),
    release: (leases, options) =>
      reporting(async () => void await telling(release(calls, t, leases, options))),
    retry: (lease, failures, delay) =>
      reporting(() => jobs.retry(calls, t, lease, failures, delay)),
    snooze: (lease, delay, options) =>
      reporting(() => jobs.snooze(calls, t, lease, delay, options)),
    stage: (limit) => reporting(() => telling(stage(calls, t, limit))),
    rescue: (rescuer) =>
      reporting(async () => {
        if (!(await processes.anyExpired(pulse, t, rescuer))) return nobody;
        return await pulse.transaction(async (tx) => {
          const dead = await processes.declareDead(tx, t, rescuer);
          if (dead.length === 0) return nobody;
          const running = await runBy(tx, t, dead);
          const queues = await freeDead(tx, t, dead);
          await notify(tx, queues);
          return { processes: dead, queues, running };
        });
      }),
    nextDue: (atMost) => reporting(() => jobs.nextDue(reads, t, atMost)),
    unserved: () => reporting(() => unserved(calls, t)),
    prune: (age, limit) => reporting(() => jobs.prune(calls, t, age, limit)),
    listen,
  };
}
