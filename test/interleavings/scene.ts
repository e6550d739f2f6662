import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { Hephaestus } from "../../mod.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import type { Job } from "../../src/backend/job.ts";
import type { Storage } from "../../src/backend/storage.ts";
import type { Db } from "../../src/postgres/driver/contract.ts";
import { again } from "../crash/story.ts";
import { eventually, silent } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { type Database, migrated } from "../pg.ts";
import { crossing, deliveries, queues, served, steps } from "./crossing.ts";
import { type Name, operations, type Side } from "./operations.ts";
import { type Held, holding, type Party, party, sessionsOf } from "./party.ts";

/** What came of two things that happened at the same time. */
export interface Crossed {
  /** Whether the second one waited until the first had ended. */
  readonly waited: boolean;
  readonly first: string;
  readonly second: string;
  /** The steps that have a result when both have ended, beside those that had one before. */
  readonly results: readonly string[];
  /** How many instances of the other key there are then. */
  readonly opened: number;
  /** How the instances of the key end, oldest first. */
  readonly ends: readonly string[];
}

/** A database in which pairs meet one after the other. */
export class Meetings implements AsyncDisposable {
  readonly #database: Database;
  readonly #backend: Storage;
  readonly #hephaestus: Hephaestus;
  readonly #first: Db;
  readonly #second: Db;

  private constructor(database: Database) {
    this.#database = database;
    const { url } = database;
    this.#backend = postgresBackend({ url, poolSize: 7, notify: false });
    const workflows = [crossing];
    this.#hephaestus = new Hephaestus({ url, workflows, logger: silent, queues, poolSize: 9 });
    this.#first = sessionsOf(url, "first");
    this.#second = sessionsOf(url, "second");
  }

  static async open(): Promise<Meetings> {
    return new Meetings(await migrated());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hephaestus, this.#first, this.#second].map((each) => each.close()));
    await this.#backend[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }

  /** Lets the second begin while the first has not ended, ends the first, and then everything. */
  async meet(first: Name, second: Name, how: "commit" | "rollback"): Promise<Crossed> {
    const { sql } = this.#database;
    const [left, right] = await this.#lay(first, second);
    // A rescue finds the others' processes dead.
    if (first === "rescue" || second === "rescue") await expire(sql);
    await using held = await holding(this.#first, "first", left);
    await using other = await party(this.#second, "second", right);
    const [{ id }] = await sql<[{ id: string }]>`
      select id from hephaestus.workflow_instances where key = 'id::one'`;
    for (const { workers } of [held, other]) await workers.instances.load([id]);
    held.sent.length = other.sent.length = 0;

    const done = await operations[first](held, "left" satisfies Side);
    const { waited, answer } = await this.#beside(held, other, second, how);
    const results = await sql`select step_ref from hephaestus.step_results
      where instance_id = ${id} and step_ref not in ('open', 'paid', 'agreed') and event <> '__dropped__'
      order by step_ref`;
    const opened = await sql`select from hephaestus.workflow_instances where key = 'id::two'`;
    return {
      waited,
      first: done,
      second: answer,
      results: results.map(({ step_ref }) => step_ref),
      opened: opened.length,
      ends: await this.#finish(),
    };
  }

  async #beside(held: Held, other: Party, second: Name, how: "commit" | "rollback") {
    let settled = false;
    const answering = operations[second](other, "right").finally(() => settled = true);
    answering.catch(() => {});
    let waits = false;
    await eventually(
      async () => settled || (waits = await this.#waits()),
      "the second waits or ends",
    );
    await held.end(how);
    return { waited: waits, answer: await answering };
  }

  async #waits(): Promise<boolean> {
    const rows = await this.#database.sql`
      select from pg_stat_activity as second
      join pg_stat_activity as first on first.pid = any (pg_blocking_pids(second.pid))
      where second.application_name = 'second' and second.wait_event_type = 'Lock'
        and first.application_name = 'first'`;
    return rows.length > 0;
  }

  /** One instance of which everything is under way: jobs that wait, that execute here and there, and of a dead process. */
  async #lay(first: Name, second: Name) {
    const { sql } = this.#database;
    const { queue } = this.#backend;
    await sql`truncate hephaestus.workflow_instances, hephaestus.step_results, hephaestus.jobs,
      hephaestus.processes`;
    const old = await this.#hephaestus.start(crossing, "old", undefined);
    await this.#hephaestus.cancel(crossing, old);
    await sql`update hephaestus.jobs set finished_at = now() - interval '2 d'`;
    const { id } = await this.#hephaestus.start(crossing, "one", undefined);
    const [a, b, dead] = [
      await queue.register("a", 60_000),
      await queue.register("b", 60_000),
      await queue.register("dead", 60_000),
    ] as const;
    const left = [...await this.#claim(a, "left", 1)];
    const right = [...await this.#claim(b, "right", 1)];
    await this.#claim(dead, "grave", 1);
    await sql`update hephaestus.processes set expires_at = now() - interval '1 s' where id = ${dead}`;
    await eventually(async () => (await queue.nextDue(1_000)) === 0, "the timers are due");
    await eventually(async () => {
      await queue.stage(10);
      return (await sql`select from hephaestus.jobs where state = 'scheduled'`).length === 0;
    }, "the timers are staged");
    const timers = await this.#claim(a, "timers", 2);
    left.push(timers.find(({ step }) => step === "nap")!);
    // Two claims would leave it to chance who gets which timer.
    await sql`update hephaestus.jobs set process_id = ${b} where step = 'doze' and instance_id = ${id}`;
    right.push(timers.find(({ step }) => step === "doze")!);
    if (first === "deadline") left.push(await this.#deadline(id, a));
    if (second === "deadline") right.push(await this.#deadline(id, b));
    for (const [place, process, to] of [[0, a, left], [1, b, right]] as const) {
      await this.#hephaestus.resume(crossing, { id }, deliveries[place]);
      to.push(...await this.#claim(process, "advances", 1));
    }
    // A third advance waits, for whom nothing is left to read.
    await sql`insert into hephaestus.jobs
      (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
      values (${id}, 'advance', 'available', 'advances', 'crossing', 1, ${id})`;
    return [{ process: a, jobs: left }, { process: b, jobs: right }] as const;
  }

  /** The job of a deadline that has passed, as a process has claimed it. */
  async #deadline(id: string, process: string): Promise<Job> {
    await this.#database.sql`insert into hephaestus.jobs
      (instance_id, kind, state, queue, workflow, workflow_version, step, args)
      values (${id}, 'resume', 'available', 'deadlines', 'crossing', 1, '!deadline', '{"deadline": 0}')`;
    const [job] = await this.#claim(process, "deadlines", 1);
    return job!;
  }

  async #claim(process: string, queue: string, expected: number): Promise<readonly Job[]> {
    const serves = [{ workflow: crossing.name, version: 1 }];
    const jobs = await this.#backend.queue.claim({ process, queue, limit: expected, serves });
    assertEquals(jobs.length, expected, `jobs of queue "${queue}"`);
    return jobs;
  }

  /** Both parties are dead, another process works: all of the key come to their end, with one result of each step. */
  async #finish(): Promise<readonly string[]> {
    const { sql } = this.#database;
    const engine = this.#hephaestus;
    // What a deadline that was rolled back, or came too late, would do is no question here.
    await sql`delete from hephaestus.jobs where step = '!deadline' and state = 'executing'`;
    await expire(sql);
    const worker = engine.work({
      poll: "20ms",
      heartbeat: "20ms",
      lease: "60000ms",
      queues: served,
    });
    await worker.ready;
    const all = (await engine.list(crossing)).items.filter(({ key }) => key !== "id::old");
    for (const { id } of all) {
      for (const delivery of deliveries) {
        await again(engine.resume(crossing, { id }, delivery), "NOT_WAITING");
      }
    }
    const ends: string[] = [];
    for (const { id, key } of all.reverse()) {
      const end = await (await engine.handle(crossing, { id }))!.result();
      const history = await engine.history(crossing, { id });
      const applied = history.filter(({ state }) => state === "applied").map(({ step }) => step);
      const isCut = history.some(({ event, state }) => event === "cut" && state === "applied");
      if (end.status !== "completed" || isCut) assert(!applied.includes("meet"));
      else assertEquals(applied.sort(), steps);
      if (end.status === "completed") assertEquals(applied.includes("brief"), isCut);
      if (key === "id::one") ends.push(end.status);
      else assertEquals(end.status, "completed");
    }
    await eventually(async () => (await sql.unsafe(live)).length === 0, "no job is left");
    assertEquals([...await sql`select from hephaestus.step_results where not processed`], []);
    await worker.stop();
    await assertSound(sql);
    return ends;
  }
}

const live = "select from hephaestus.jobs where state not in ('discarded', 'cancelled')";

async function expire(sql: Sql): Promise<void> {
  await sql`update hephaestus.processes set expires_at = now() - interval '1 s'`;
}
