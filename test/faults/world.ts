import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "postgres";
import { Hephaestus } from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { examine } from "../../src/postgres/doctor/doctor.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { ownServer } from "../pg.ts";
import { type Proxy, proxy } from "../proxy.ts";
import { silent } from "../everywhere.ts";
import { Caller } from "./calls.ts";
import { broken } from "./checks.ts";
import { briefly, heal, inflict, type Victims } from "./driver.ts";
import { Fleet } from "./fleet.ts";
import { retriedByHand } from "./flow.ts";
import { everything } from "./hostile.ts";
import type { Plan } from "./plan.ts";

/** How a run ended: without problems, or with what must be known to look into it. */
export interface Report {
  readonly plan: Plan;
  readonly problems: readonly string[];
  readonly log: readonly string[];
  readonly instances: number;
  readonly results: number;
}

/**
 * How long nothing may get done, and how long all may take, before the world is called stuck. A
 * step that kills its process takes five processes with it, each with a lease and the start of
 * another.
 */
const patience = { idle: 30_000, all: 90_000, hostile: 300_000 };
/** How long it goes on when the doctor has found something: the run has failed already. */
const lastWords = 3_000;

/** Carries out a plan on a server of its own, heals the world, waits until it is quiet, and looks at what is left. */
export async function run(plan: Plan): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-faults-"));
  const diary = join(folder, "diary");
  writeFileSync(diary, "");
  await using server = await ownServer();
  await prepare(server.url);
  const proxies: Proxy[] = [];
  for (let at = 0; at <= plan.processes; at++) {
    proxies.push(await proxy(server.url, { remember: false }));
  }
  const urls = proxies.slice(0, -1).map(({ url }) => url);
  await using fleet = new Fleet(urls, plan, diary);
  const hephaestus = new Hephaestus({
    url: proxies.at(-1)!.url,
    inline: plan.inline,
    workflows: Object.values(everything),
    logger: silent,
    poolSize: 11,
    statementTimeout: "2s",
  });
  await fleet.ready();
  const began = Date.now();
  const log: string[] = [];
  const victims: Victims = {
    server,
    url: server.url,
    proxies,
    fleet,
    log: (text) => {
      log.push(`${Date.now() - began} ${text}`);
      if (process.env.FAULTS_LOG) console.error(log.at(-1));
    },
  };
  const caller = new Caller(hephaestus, plan.seconds * 1000 + patience.idle);
  const stopLooking = new AbortController();
  const found = new Set<string>();
  const looked = look(server.url, stopLooking.signal, found);
  try {
    await suffer(plan, victims, caller, began);
    victims.log("healed");
    heal(victims);
    const problems: string[] = [];
    const open = await untilQuiet(server.url, caller, found, victims.log, {
      ...patience,
      ...(plan.hostile || plan.flow ? { all: patience.hostile } : {}),
    });
    victims.log(open === "" ? "quiet" : "not quiet");
    if (open !== "") problems.push(`The world is not quiet. ${open}`);
    problems.push(...await examined(server.url, "when the world should be quiet"));
    problems.push(...await departed(server.url, fleet));
    stopLooking.abort();
    victims.log(`examined ${await looked} times meanwhile`);
    problems.push(...found, ...await examined(server.url, "at the end"));
    problems.push(...fleet.failures, ...caller.failures);
    return await briefly(server.url, async (sql) => {
      problems.push(...await broken(sql, caller.told, diary));
      const [count] = await sql`select
        (select count(*)::int from hephaestus.workflow_instances) as instances,
        (select count(*)::int from hephaestus.step_results) as results`;
      return { plan, problems, log, instances: count?.instances, results: count?.results };
    });
  } finally {
    stopLooking.abort();
    await hephaestus.close().catch(() => {});
    await fleet[Symbol.asyncDispose]();
    for (const each of proxies) await each[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(url: string): Promise<void> {
  const db = connect({ url, max: 1 });
  try {
    await migrate(db, { schema: "hephaestus" });
    await db.script("create table effects (instance uuid, step text, activation int, attempt int)");
    await db.script("create table item_effects (instance uuid, step text, place int)");
  } finally {
    await db.close();
  }
}

/** Everything at its time; what takes longer goes on beside the rest. */
async function suffer(
  plan: Plan,
  victims: Victims,
  caller: Caller,
  began: number,
): Promise<void> {
  const calls = plan.calls.map(async (call) => {
    await pause(began + call.at - Date.now());
    await caller.make(call);
  });
  let restarting = Promise.resolve();
  const faults = plan.faults.map(async (fault) => {
    await pause(began + fault.at - Date.now());
    if (fault.kind !== "restart") return await inflict(victims, fault);
    await (restarting = restarting.then(() => inflict(victims, fault)));
  });
  await Promise.all(faults);
  heal(victims);
  await Promise.all(calls);
}

/**
 * Delivers to what still waits and retries what has failed, until nothing is left to be done. Says
 * what is still open when that does not come.
 */
async function untilQuiet(
  url: string,
  caller: Caller,
  found: ReadonlySet<string>,
  log: (text: string) => void,
  { idle, all }: { readonly idle: number; readonly all: number },
): Promise<string> {
  const began = Date.now();
  let told = began;
  let moved = began;
  let left = Infinity;
  for (;; await pause(150)) {
    const { open, jobs, processes, signing, failed } = await briefly(url, stateOf);
    if (open.length + jobs.length + failed.length === 0) return "";
    const now = Date.now();
    if (open.length < left) moved = now;
    left = Math.min(left, open.length);
    const why = now - moved > idle
      ? `Nothing got done for ${idle} ms`
      : now - began > all
      ? `It goes on after ${all} ms`
      : found.size > 0 && now - began > lastWords
      ? "The doctor has found something"
      : undefined;
    const alive = processes.map(({ id, lease }) => `${id} (for ${lease} s)`).join(", ");
    const state = () =>
      `${open.length} instances are open, processes ${alive}, the first of ${jobs.length} jobs: ${
        JSON.stringify(jobs.slice(0, 5))
      }`;
    if (why !== undefined) {
      return `${why}: ${state()}\n  ${
        open.slice(0, 20).map((row) => JSON.stringify(row)).join("\n  ")
      }`;
    }
    if (now - told > 2_000) {
      told = now;
      log(state());
    }
    await Promise.all([
      ...signing.map(({ id }) => caller.deliver(id, "sign")),
      ...failed.map(({ id, workflow }) => caller.retry(workflow, id)),
    ]);
  }
}

async function stateOf(sql: Sql) {
  return {
    open: await sql`
      select id, workflow, key, status, revision, control from hephaestus.workflow_instances
      where finished_at is null order by id`,
    jobs: await sql`
      select instance_id, kind, state, step, attempt, process_id, round(extract(epoch from scheduled_at - now()), 1) as due,
        errors -> -1 ->> 'message' as error
      from hephaestus.jobs where state not in ('discarded', 'cancelled') order by id`,
    processes: await sql`
      select id, round(extract(epoch from expires_at - now()), 1) as lease from hephaestus.processes order by id`,
    signing: await sql`
      select id from hephaestus.workflow_instances
      where workflow = 'desk' and status = 'waiting' and jsonb_exists(control -> 'active', 'sign')`,
    failed: await sql`
      select id, workflow from hephaestus.workflow_instances
      where workflow in ${sql([...retriedByHand])} and status = 'failed'`,
  };
}

/** The dead are declared dead by the living; those that are asked to end leave nothing behind. */
async function departed(url: string, fleet: Fleet): Promise<readonly string[]> {
  const names = () =>
    briefly(
      url,
      async (sql) =>
        (await sql`select name from hephaestus.processes`).map(({ name }) => String(name)),
    );
  const problems: string[] = [];
  let strangers: readonly string[] = [];
  for (const end = Date.now() + 10_000; Date.now() < end; await pause(100)) {
    const alive = fleet.names;
    const rows = await names();
    strangers = rows.filter((name, at) => !alive.includes(name) || rows.indexOf(name) !== at);
    if (strangers.length === 0) break;
  }
  if (strangers.length > 0) {
    problems.push(`Processes of the dead are left: ${strangers.join(", ")}`);
  }
  await fleet.stop();
  const left = await names();
  if (left.length > 0) {
    problems.push(`Processes that were asked to end are left: ${left.join(", ")}`);
  }
  return problems;
}

async function examined(url: string, when: string): Promise<readonly string[]> {
  const db = connect({ url, max: 1 });
  try {
    const { violations } = await examine(db, "hephaestus");
    return violations.map(({ rule, sentence }) =>
      `The doctor found, ${when}: ${rule}: ${sentence}`
    );
  } finally {
    await db.close();
  }
}

/** Examines the database again and again while all this happens: its rules hold at every moment. Returns how often it did. */
async function look(url: string, signal: AbortSignal, found: Set<string>): Promise<number> {
  let looks = 0;
  for (; !signal.aborted; await pause(700)) {
    try {
      for (const problem of await examined(url, "meanwhile")) found.add(problem);
      looks++;
    } catch {
      // The server is being restarted.
    }
  }
  return looks;
}
