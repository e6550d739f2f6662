import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { dumpSchema } from "../../../scripts/dump_schema.ts";
import { SchemaVersionError } from "../../../src/core/errors/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { assertMigrated, migrate, status } from "../../../src/postgres/migrations/migrate.ts";
import { migrations } from "../../../src/postgres/migrations/migrations.gen.ts";
import { eventually } from "../../everywhere.ts";
import type { Database } from "../../pg.ts";
import { fresh, made } from "./migrating.ts";

const schema = "hephaestus";
const latest = migrations.length;
const golden = readFileSync(new URL("../../../sql/schema.sql", import.meta.url), "utf8");

/** Everything a migration could have left behind. */
async function everything({ sql }: Database): Promise<unknown> {
  const [row] = await sql`
    select
      array(select nspname::text from pg_namespace where nspname !~ '^pg_' order by 1) as schemas,
      array(select oid::regclass::text from pg_class where oid >= 16384 order by 1) as relations,
      array(select oid::regprocedure::text from pg_proc where oid >= 16384 order by 1) as functions,
      array(select oid::regtype::text from pg_type where oid >= 16384 order by 1) as types`;
  return row;
}

describe("migrate()", () => {
  it("makes the golden schema", async () => {
    await using t = await fresh();

    const { applied } = await migrate(t.db, { schema });

    assertEquals(applied.map(({ version }) => version), migrations.map(({ version }) => version));
    assertEquals(await dumpSchema(t.sql, schema), golden);
  });

  it("is tried again when a worker's locks and its own close a circle", async () => {
    await using t = await fresh();
    await migrate(t.db, { schema });
    const next = made(
      latest + 1,
      `alter table :schema.jobs add column later int;
      alter table :schema.processes add column later int`,
    );

    const migrating = await t.sql.begin(async (worker) => {
      // Only the migration looks for a circle: it is the one that gives way.
      await worker`set local deadlock_timeout = '1min'`;
      await worker`lock table hephaestus.processes in row share mode`;
      const migrating = migrate(t.db, { schema, migrations: [...migrations, next] });
      migrating.catch(() => {});
      await eventually(async () => {
        const waiting = await t.sql`select from pg_locks where not granted
          and relation = 'hephaestus.processes'::regclass`;
        return waiting.length === 1;
      }, "the migration waits for the worker");
      await worker`lock table hephaestus.jobs in row share mode`;
      return [migrating];
    });

    assertEquals((await migrating[0]!).applied.map(({ version }) => version), [latest + 1]);
  });

  it("makes the golden schema again after up, down, up", async () => {
    await using t = await fresh();

    await migrate(t.db, { schema });
    await migrate(t.db, { schema, direction: "down", to: 0 });
    await migrate(t.db, { schema });

    assertEquals(await dumpSchema(t.sql, schema), golden);
  });

  it("leaves nothing behind when it goes down to 0", async () => {
    await using t = await fresh();
    const before = await everything(t);

    await migrate(t.db, { schema });
    const { reverted } = await migrate(t.db, { schema, direction: "down", to: 0 });

    assertEquals(reverted.length, latest);
    assertEquals(await everything(t), before);
  });

  it("keeps a schema in which somebody else has put something", async () => {
    await using t = await fresh();
    await migrate(t.db, { schema });
    await t.sql`create table hephaestus.mine (id int)`;

    await migrate(t.db, { schema, direction: "down", to: 0 });

    const rows = await t.sql`select tablename from pg_tables where schemaname = 'hephaestus'`;
    assertEquals(rows.map((row) => row.tablename), ["mine"]);
  });

  it("keeps a schema that it did not make", async () => {
    await using t = await fresh();

    await migrate(t.db, { schema: "public" });
    await migrate(t.db, { schema: "public", direction: "down", to: 0 });

    const rows = await t.sql`select from pg_namespace where nspname = 'public'`;
    assertEquals(rows.length, 1);
  });

  it("needs no right to create a schema that is there already", async () => {
    await using t = await fresh();
    const role = `owner_${new URL(t.url).pathname.slice(1)}`;
    await t.sql.unsafe(`create role ${role} login password 'secret'`);
    await t.sql.unsafe(`create schema hephaestus authorization ${role}`);
    const url = new URL(t.url);
    url.username = role;
    url.password = "secret";
    const db = connect({ url: url.href, max: 1 });

    const { applied } = await migrate(db, { schema });

    assertEquals(applied.length, latest);
    await db.close();
    await t.sql.unsafe(`drop owned by ${role} cascade`);
    await t.sql.unsafe(`drop role ${role}`);
  });

  it("applies each migration once, though others migrate at the same time", async () => {
    await using t = await fresh();
    const dbs = Array.from({ length: 6 }, () => connect({ url: t.url, max: 1 }));

    const all = await Promise.all(dbs.map((db) => migrate(db, { schema })));

    const versions = all.flatMap(({ applied }) => applied.map(({ version }) => version)).sort();
    assertEquals(versions, migrations.map(({ version }) => version));
    await Promise.all(dbs.map((db) => db.close()));
  });

  it("leaves nothing of a migration that failed half-way, and goes on from there", async () => {
    await using t = await fresh();
    const first = made(1, "create table :schema.one (id int)");
    const broken = made(2, "create table :schema.two (id int); select 1 / 0");
    const repaired = made(2, "create table :schema.two (id int)");

    await assertRejects(() => migrate(t.db, { schema, migrations: [first, broken] }));
    const between = await status(t.db, { schema, migrations: [first, broken] });
    const { applied } = await migrate(t.db, { schema, migrations: [first, repaired] });

    assertEquals(between.map(({ state }) => state), ["applied", "pending"]);
    assertEquals(applied, [repaired]);
  });

  it("leaves nothing of a migration whose process was killed", async () => {
    await using t = await fresh();
    const slow = [made(1, "create table :schema.one (id int); select pg_sleep(600)")];
    const before = await everything(t);

    const killed = migrate(t.db, { schema, migrations: slow }).catch(() => "killed");
    const asleep = "select pid from pg_stat_activity where wait_event = 'PgSleep'" +
      " and datname = current_database()";
    let pid: number | undefined;
    while (pid === undefined) pid = (await t.sql.unsafe(asleep))[0]?.pid;
    await t.sql`select pg_terminate_backend(${pid}, 10000)`;

    assertEquals(await killed, "killed");
    assertEquals(await everything(t), before);
  });

  it("goes no further than it is told", async () => {
    await using t = await fresh();
    const three = [made(1, "select 1"), made(2, "select 2"), made(3, "select 3")];
    const versions = async (): Promise<number[]> =>
      (await status(t.db, { schema, migrations: three }))
        .filter(({ state }) => state === "applied").map(({ version }) => version);

    await migrate(t.db, { schema, migrations: three, to: 2 });
    assertEquals(await versions(), [1, 2]);

    await migrate(t.db, { schema, migrations: three });
    await migrate(t.db, { schema, migrations: three, direction: "down" });
    assertEquals(await versions(), [1, 2]);

    await migrate(t.db, { schema, migrations: three, direction: "down", to: 2 });
    assertEquals(await versions(), [1, 2]);
  });

  it("refuses a version that does not exist", async () => {
    await using t = await fresh();

    for (const to of [latest + 1, -1, 0.5, NaN]) {
      const error = await assertRejects(() => migrate(t.db, { schema, to }), RangeError);
      assertEquals(
        error.message,
        `Cannot migrate schema "hephaestus" to version ${to}: versions are 0 to ${latest}`,
      );
    }
  });

  it("only tells what it would do in a dry run", async () => {
    await using t = await fresh();
    const before = await everything(t);

    const up = await migrate(t.db, { schema, dryRun: true });
    assertEquals(up.applied.length, latest);
    assertEquals(await everything(t), before);

    await migrate(t.db, { schema });
    const down = await migrate(t.db, { schema, direction: "down", to: 0, dryRun: true });
    assertEquals(down.reverted.map(({ version }) => version)[0], latest);
    assertEquals(await dumpSchema(t.sql, schema), golden);
  });

  it("works in a schema with a hostile name, beside others", async () => {
    await using t = await fresh();
    const hostile = `"; drop table x; -- ' . $1 😀 Aa`;

    await migrate(t.db, { schema });
    await migrate(t.db, { schema: hostile });
    await migrate(t.db, { schema: hostile, direction: "down", to: 0 });

    assertEquals(await dumpSchema(t.sql, schema), golden);
    await assertMigrated(t.db, { schema });
  });

  it("does not touch a migrations table of another program", async () => {
    await using t = await fresh();
    await t.sql`create table public.migrations (id int)`;

    const error = await assertRejects(
      () => migrate(t.db, { schema: "public" }),
      SchemaVersionError,
    );

    assertEquals(
      error.message,
      'Cannot use schema "public": its table "migrations" belongs to another program',
    );
  });
});
