import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import postgres, { type Sql } from "postgres";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { eventually, keeping, silent } from "../everywhere.ts";
import { type Database, migrated } from "../pg.ts";
import { order, settle, shop } from "./shop.ts";

/** Holds a lock until sessions of the engine were seen to wait for it, and to come back to it. */
async function whileLocked(sql: Sql, table: string, work: () => void): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe(`lock table hephaestus.${table} in access exclusive mode`);
    work();
    const seen = new Set<string>();
    await eventually(async () => {
      const waits = await sql`
        select pid || ' ' || query_start as wait from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      for (const { wait } of waits) seen.add(wait);
      return seen.size >= 10;
    }, `sessions wait for ${table}`);
  });
}

async function patient(): Promise<Database> {
  const database = await migrated();
  await database.sql`create table effects (key text, step text)`;
  return database;
}

/** A database whose sessions do not wait long for anything, unless they ask for it as the test's own do. */
async function impatient(): Promise<Database> {
  const database = await patient();
  const { url } = database;
  const name = new URL(url).pathname.slice(1);
  await database.sql.unsafe(`alter database ${name} set lock_timeout = '50ms'`);
  await database.sql.unsafe(`alter database ${name} set statement_timeout = '50ms'`);
  // Not 0: the driver leaves out what is falsy.
  const connection = { lock_timeout: 60_000, statement_timeout: 60_000 };
  const sql = postgres(url, { max: 4, connection, onnotice: () => {} });
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await database[Symbol.asyncDispose]();
    },
  };
}

const cases = [
  {
    what: "a low lock_timeout, inline",
    of: impatient,
    inline: true,
    options: {},
    tables: ["workflow_instances", "processes"],
  },
  {
    what: "a low lock_timeout, through jobs",
    of: impatient,
    inline: false,
    options: {},
    tables: ["step_results", "jobs"],
  },
  {
    what: "a low statement timeout",
    inline: true,
    of: patient,
    options: { statementTimeout: "500ms" },
    tables: ["workflow_instances"],
  },
] as const;

describe("a database whose tables others lock", () => {
  for (const { what, of, inline, options, tables } of cases) {
    it(`uses up no attempt and loses nothing: ${what}`, async () => {
      await using database = await of();
      const { sql, url } = database;
      const logger = keeping();
      await using hephaestus = new Hephaestus({
        ...{ url, workflows: [shop], inline, poolSize: 9, logger },
        ...options,
      });
      await hephaestus.work({ poll: "50ms", queues: { default: 10 } }).ready;

      for (const table of tables) {
        const handles = await order(hephaestus, 8, `${table} `);
        const more: ReturnType<typeof order>[] = [];
        await whileLocked(sql, table, () => more.push(order(hephaestus, 4, `late ${table} `)));

        await settle(hephaestus, sql, [...handles, ...(await Promise.all(more)).flat()]);
      }
      const told = logger.said.filter((line) => line.includes('"code":"DATABASE_'));
      const sentence =
        /"message":"Cannot run a statement now: (a lock was not (free|available)|it took too long)/;
      assertEquals(told.filter((line) => !sentence.test(line)), []);
    });
  }
});

const count = step("count", {
  events: { ok: type() },
  retry: { attempts: 2, base: "1ms", max: "5ms" },
  run: ({ emit, tx }) =>
    tx(async (sql) => {
      await sql`update counters set n = n + 1`;
      return emit.ok();
    }),
});
const counting = workflow("counting", { key: "id", input: type(), start: count })
  .on(count, { ok: done })
  .build();

describe("a step whose own statement waits in vain for a lock", () => {
  it("has failed, as often as it has attempts", async () => {
    await using database = await impatient();
    const { sql, url } = database;
    await sql`create table counters as select 0 as n`;
    await using hephaestus = new Hephaestus({ url, workflows: [counting], logger: silent });
    await hephaestus.work({ poll: "50ms" }).ready;

    await sql.begin(async (tx) => {
      await tx`update counters set n = 0`;
      const handle = await hephaestus.start(counting, "one", undefined);
      const end = await handle.result();
      assertEquals(end.status, "failed");
      assertEquals(end.error?.message, "Cannot run a statement: the database reported 55P03");
    });
  });
});
