import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { commit } from "../../../src/postgres/instances/commit.ts";
import type { Tx } from "../../../src/postgres/driver/contract.ts";
import { freeDead, freeLeft, release, stage } from "../../../src/postgres/jobs/give_back.ts";
import { read, unprocessed } from "../../../src/postgres/instances/read.ts";
import { claim, nextDue, retry, snooze } from "../../../src/postgres/jobs/jobs.ts";
import { claimLone, loneWaits } from "../../../src/postgres/jobs/lone.ts";
import { heartbeat } from "../../../src/postgres/jobs/processes.ts";
import { list } from "../../../src/postgres/instances/list.ts";
import { deliver, pass, record, recordStatement } from "../../../src/postgres/instances/record.ts";
import { tablesOf } from "../../../src/postgres/sql/tables.ts";
import type { Turn } from "../../../src/backend/turn.ts";
import { migrated } from "../../pg.ts";
import { explaining } from "./explaining.ts";

const t = tablesOf("hephaestus");
const instance = "0190a000-0000-7000-8000-000000000001";
const lease = { process: "1", id: "1", token: 1 };
const wake = { queue: "default", workflow: "order", version: 1 };
const result = {
  step: "pack",
  activation: 1,
  waits: false,
  event: "ok",
  output: "{}",
  metadata: undefined,
  attempt: 1,
  errors: undefined,
  duration: 1,
};
const next = {
  id: "1001",
  kind: "execute",
  workflow: "order",
  version: 1,
  instance,
  step: "ship",
  activation: 1,
  queue: "default",
  priority: 5,
  maxAttempts: 5,
  delay: 0,
  owned: true,
  args: undefined,
};
const turn = (part: Partial<Turn>): Turn => ({
  instance,
  version: 1,
  revision: 1,
  status: "running",
  control: "{}",
  metadata: undefined,
  error: undefined,
  recorded: [{ result, causes: [] }],
  processed: [],
  settled: ["1"],
  discarded: [],
  resolved: [],
  started: [next],
  reused: undefined,
  wake: undefined,
  bare: false,
  ...part,
});
const channels = { jobs: "jobs", ended: "ended" };
const demand = { process: "1", queue: "default", limit: 10, serves: [wake] };
const lone = { process: "1", queues: ["default"], serves: [wake] };
const delivery = {
  ...result,
  id: instance,
  instance,
  version: 1,
  graph: "1",
  wake,
  loops: [],
  branches: [],
};

const written = ["jobs_pkey", "processes_pkey", "workflow_instances_pkey"];

/** What runs for each step or each poll, and the indexes by which it finds its rows. */
const hot: readonly (readonly [name: string, run: (on: Tx) => Promise<unknown>, string[]])[] = [
  ["a turn", (on) => commit(on, t, channels, "1", [turn({})]), written],
  [
    "a turn of a chain",
    (on) =>
      commit(on, t, channels, "1", [
        turn({ settled: [], started: [], reused: { ...next, id: "1" } }),
      ]),
    written,
  ],
  [
    "the last turn",
    (on) => commit(on, t, channels, "1", [turn({ status: "completed", started: [] })]),
    ["jobs_instance", ...written],
  ],
  [
    "an advance",
    (on) =>
      commit(on, t, channels, "1", [
        turn({ recorded: [], processed: [{ ...result, causes: [] }] }),
      ]),
    [...written, "step_results_pkey"].sort(),
  ],
  ["a claim", (on) => claim(on, t, demand), ["jobs_available", "jobs_pkey", "processes_pkey"]],
  [
    "a result for an advance",
    (on) =>
      record(on, recordStatement(t, "jobs"), [{ ...result, instance, version: 1, lease, wake }]),
    ["jobs_pkey"],
  ],
  [
    "a job that finds nothing to do",
    (on) => pass(on, t, [{ lease, instance, ignored: [result] }]),
    ["jobs_pkey", "step_results_unprocessed"],
  ],
  [
    "a delivery",
    (on) => deliver(on, t, "jobs", delivery, true),
    ["step_results_pkey", "workflow_instances_pkey"],
  ],
  ["a retry", (on) => retry(on, t, lease, [{ name: "Error", message: "" }], 1), ["jobs_pkey"]],
  ["a snooze", (on) => snooze(on, t, lease, 1), ["jobs_pkey"]],
  ["giving back", (on) => release(on, t, [lease]), ["jobs_pkey"]],
  ["freeing what a process leaves", (on) => freeLeft(on, t, "1"), ["jobs_executing", "jobs_pkey"]],
  ["freeing what the dead had", (on) => freeDead(on, t, ["1"]), ["jobs_executing", "jobs_pkey"]],
  ["a job that must run alone", (on) => claimLone(on, t, lone), [
    "jobs_alone",
    "jobs_pkey",
    "processes_pkey",
  ]],
  ["whether one waits", (on) => loneWaits(on, t, lone), ["jobs_alone"]],
  ["staging", (on) => stage(on, t, 100), ["jobs_pkey", "jobs_scheduled"]],
  ["what is due next", (on) => nextDue(on, t, 1), ["jobs_scheduled"]],
  ["a heartbeat", (on) => heartbeat(on, t, "1", 1), ["processes_pkey"]],
  [
    "the active one of a unique key",
    (on) => list(on, t, { uniqueKey: "workflow:order:id::a", limit: 1 }),
    ["workflow_instances_unique_key"],
  ],
  ["reading an instance", (on) => read(on, t, [instance]), ["workflow_instances_pkey"]],
  ["unread results", (on) => unprocessed(on, t, [instance]), ["step_results_unprocessed"]],
];

const nothing = () => Promise.resolve();

async function fill(sql: Sql): Promise<void> {
  await sql`
    insert into hephaestus.workflow_instances (id, workflow_version, status, control, workflow, key, finished_at)
    select md5(n::text)::uuid, 1, 'completed', '{}', 'order', n::text, now() from generate_series(1, 50000) n`;
  await sql`
    insert into hephaestus.step_results (instance_id, workflow_version, step_ref, event, processed, applied_revision)
    select md5(n::text)::uuid, 1, 'pack', 'ok', true, 1 from generate_series(1, 50000) n`;
  await sql`
    insert into hephaestus.jobs (instance_id, workflow_version, kind, state, process_id, queue, workflow, step)
    select md5(n::text)::uuid, 1, 'execute',
      (array['available', 'scheduled', 'executing', 'discarded'])[1 + n % 4],
      case when n % 4 = 2 then 1 end, 'default', 'order', 'pack'
    from generate_series(1, 20000) n`;
  await sql`analyze hephaestus.workflow_instances, hephaestus.step_results, hephaestus.jobs`;
}

/** Many dead rows, and statistics that call the tables empty. */
async function bloat(sql: Sql): Promise<void> {
  await fill(sql);
  await sql`delete from hephaestus.jobs`;
  await sql`delete from hephaestus.step_results`;
  await sql`delete from hephaestus.workflow_instances`;
  await sql`analyze hephaestus.workflow_instances, hephaestus.step_results, hephaestus.jobs`;
}

describe("the plans of the hot statements", () => {
  for (
    const [state, prepare] of [["empty", nothing], ["full", fill], ["bloated", bloat]] as const
  ) {
    it(`stay on their indexes while the tables are ${state}`, async () => {
      await using database = await migrated();
      await using session = explaining(database.url);
      await prepare(database.sql);
      const found: [string, readonly string[]][] = [];

      for (const [name, run] of hot) {
        await run(session.explain);
        found.push([name, session.reads()]);
      }

      assertEquals(found, hot.map(([name, , indexes]) => [name, indexes]));
    });
  }
});
