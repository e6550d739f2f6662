import { Hephaestus } from "../../mod.ts";
import type { Job } from "../../src/backend/job.ts";
import { Telemetry } from "../../src/observe/telemetry.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import type { Db, Tx } from "../../src/postgres/driver/contract.ts";
import { channelOf } from "../../src/postgres/sql/identifiers.ts";
import { postgresQueue } from "../../src/postgres/queue.ts";
import { engineSettings, engineStatements } from "../../src/postgres/driver/settings.ts";
import { postgresStore } from "../../src/postgres/store.ts";
import { tablesOf } from "../../src/postgres/sql/tables.ts";
import type { WorkerContext } from "../../src/runner/run/worker_context.ts";
import { Committer } from "../../src/runner/turn/committer.ts";
import { Failures } from "../../src/runner/run/failures.ts";
import type { Host, OwnedJob } from "../../src/runner/host.ts";
import { InstanceCache } from "../../src/runner/turn/instance_cache.ts";
import { JobIds } from "../../src/runner/job_ids.ts";
import { Recorder } from "../../src/runner/turn/recorder.ts";
import { Graphs } from "../../src/runner/graphs.ts";
import { Registry } from "../../src/runner/registry.ts";
import { Slots } from "../../src/runner/claim/slots.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { nameOf } from "../crash/statements.ts";
import { silent } from "../everywhere.ts";
import { crossing, queues } from "./crossing.ts";

/** Who does one of two things at the same time: a caller and a process, on sessions of its own. */
export interface Party extends AsyncDisposable {
  /** Its name in `pg_stat_activity`. */
  readonly name: string;
  readonly backend: Storage;
  readonly hephaestus: Hephaestus;
  readonly workers: WorkerContext;
  /** Resolves once this job is over. */
  over(job: OwnedJob): Promise<void>;
  /** What it holds. */
  readonly jobs: ReadonlyMap<string, OwnedJob>;
  /** The names of the statements that it has sent since `begin`. */
  readonly sent: string[];
}

/** A party whose statements are all one transaction, which is open until it is told how it ends. */
export interface Held extends Party {
  end(how: "commit" | "rollback"): Promise<void>;
}

type Claimed = { readonly process: string; readonly jobs: readonly Job[] };

const schema = "hephaestus";

/** The sessions of the parties of one name. */
export function sessionsOf(url: string, name: string): Db {
  return connect({ url, max: 2, applicationName: name, settings: engineSettings });
}

/** A party whose statements commit as they do in the product. */
export function party(db: Db, name: string, claimed: Claimed): Party {
  return partyOn(db, name, claimed);
}

/** A party whose transaction is held open. */
export async function holding(db: Db, name: string, claimed: Claimed): Promise<Held> {
  let end: (how: "commit" | "rollback") => void = () => {};
  const ending = new Promise<"commit" | "rollback">((resolve) => end = resolve);
  const takenBack = new Error("Taken back");
  let over: Promise<void> = Promise.resolve();
  const tx = await new Promise<Tx>((begun, failed) => {
    over = db.transaction(async (tx) => {
      begun(tx);
      if (await ending === "rollback") throw takenBack;
    });
    over.catch(failed);
  });
  const one: Db = {
    query: (text, params) => tx.query(text, params),
    script: (text) => tx.script(text),
    transaction: (work) => work(tx),
    close: () => db.close(),
  };
  return {
    ...partyOn(one, name, claimed),
    async end(how) {
      end(how);
      await over.catch((error) => {
        if (error !== takenBack) throw error;
      });
    },
  };
}

function partyOn(db: Db, name: string, { process, jobs }: Claimed): Party {
  const sent: string[] = [];
  const backend = backendOn(noting(db, sent));
  const hephaestus = new Hephaestus({ backend, workflows: [crossing], logger: silent, queues });
  const awaited = new Map<OwnedJob, () => void>();
  return {
    name,
    backend,
    hephaestus,
    workers: workersOn(backend, process, (job) => awaited.get(job)?.()),
    over: (job) => new Promise((resolve) => awaited.set(job, resolve)),
    jobs: new Map(
      jobs.map((job) => [
        job.step ?? job.kind,
        { ...job, process, slot: new Slots(new Map()).hold().handOver(job.queue) },
      ]),
    ),
    sent,
    [Symbol.asyncDispose]: () => hephaestus.close(),
  };
}

function noting(db: Db, sent: string[]): Db {
  const on = (tx: Tx): Tx => ({
    query(text, params) {
      sent.push(nameOf(text));
      return tx.query(text, params);
    },
    script: (text) => tx.script(text),
  });
  return {
    ...on(db),
    transaction: (work, options) => db.transaction((tx) => work(on(tx)), options),
    close: () => db.close(),
  };
}

const silence = (): AsyncDisposable => ({ [Symbol.asyncDispose]: () => Promise.resolve() });

function backendOn(db: Db): Storage {
  const t = tablesOf(schema);
  const channels = { jobs: channelOf(schema), ended: channelOf(schema, "ended") };
  // Those who listen are other processes; here nobody does.
  const notify = () => Promise.resolve();
  return {
    name: "postgres",
    queue: postgresQueue({ reads: db, calls: db, pulse: db, t, notify, listen: silence }),
    // The lanes of the product give up waiting for a lock after 250 ms; here the wait itself is looked at.
    store: postgresStore({
      ...{ reads: db, calls: db, steps: db, lanes: db, t, channels, notify },
      engine: engineStatements(engineSettings),
      lacking: (error) => Promise.resolve(error),
      watch: silence,
    }),
    ready: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function workersOn(backend: Storage, process: string, done: Host["done"]): WorkerContext {
  const registry = new Registry([crossing]);
  const graphs = new Graphs(backend.store, registry, silent);
  const runtime = {
    backend,
    registry,
    graphs,
    ids: new JobIds(backend.queue),
    logger: silent,
    telemetry: new Telemetry(silent),
    queues,
    inline: true,
    retry: undefined,
    payloadLimit: 1_000,
    random: Math.random,
  };
  const host = {
    process,
    slots: new Slots(new Map()),
    accepting: true,
    givenUp: new AbortController().signal,
    yields: () => false,
    begin() {},
    stopped() {},
    done,
    unsettled() {},
    abort() {},
    expect() {},
    finished() {},
  };
  const instances = new InstanceCache(backend.store, graphs);
  const failures = new Failures(runtime, host, instances);
  const recorder = new Recorder(runtime, host, failures);
  const committer = new Committer(runtime, host, instances, recorder, failures);
  return { runtime, host, instances, committer, recorder, failures };
}
