import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { done, Hephaestus, step, type, workflow } from "../../../mod.ts";
import { assertMigrated, migrate, status } from "../../../src/postgres/migrations/migrate.ts";
import { scriptOf } from "../../../src/postgres/migrations/migration_sql.ts";
import { migrations } from "../../../src/postgres/migrations/migrations.gen.ts";
import { hephaestus as command } from "../../cli/command.ts";
import { silent } from "../../everywhere.ts";
import { fresh, made } from "./migrating.ts";

const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const simple = workflow("simple", { key: "id", input: type(), start: one })
  .on(one, { ok: done })
  .build();

/** Runs a script as psql does: by a connection that knows nothing of it. */
async function run({ url }: { readonly url: string }, script: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(script).simple();
  } finally {
    await sql.end();
  }
}

describe("migrations as SQL", () => {
  it("make the tables by a plain connection, and everybody takes them for migrated", async () => {
    await using t = await fresh();
    const { code, out, error } = await command(["migrate", "--sql", "--from", "0"]);
    assertEquals([code, error], [0, ""]);

    await run(t, out);

    assertEquals((await command(["migrate", "status", "--json"], t.url)).code, 0);
    const states = (await status(t.db, { schema: "hephaestus" })).map(({ state }) => state);
    assertEquals(states, migrations.map(() => "applied"));
    assertEquals((await migrate(t.db, { schema: "hephaestus" })).applied, []);
    await using hephaestus = new Hephaestus({ url: t.url, workflows: [simple], logger: silent });
    await hephaestus.work().ready;
    const handle = await hephaestus.start(simple, "one", undefined);
    assertEquals((await handle.result()).status, "completed");
  });

  it("make and remove the same as the command does, in a schema of any name", async () => {
    for (const schema of ["hephaestus", `it's "mine" \\ $$ %I`]) {
      await using t = await fresh();
      const described = () =>
        t.sql`select relname, relkind, relacl from pg_class
          where relnamespace = (select oid from pg_namespace where nspname = ${schema}) order by relname`;
      await run(t, scriptOf(schema, "up", migrations));
      await assertMigrated(t.db, { schema });
      const byScript = [...await described()];
      await run(t, scriptOf(schema, "down", [...migrations].reverse()));
      assertEquals((await t.sql`select from pg_namespace where nspname = ${schema}`).length, 0);

      await migrate(t.db, { schema });
      assertEquals([...await described()], byScript);
      await run(t, scriptOf(schema, "down", [...migrations].reverse()));
      assertEquals((await t.sql`select from pg_namespace where nspname = ${schema}`).length, 0);
    }
  });

  it("change nothing where the database is at another version", async () => {
    await using t = await fresh();
    const two = [made(1, "create table :schema.a ()"), made(2, "create table :schema.b ()")];
    const schema = "hephaestus";
    const late = () => run(t, scriptOf(schema, "up", two.slice(1)));

    const early = await assertRejects(late);
    assertStringIncludes(`${early}`, 'Cannot migrate schema "hephaestus": it is not at version 1');
    await run(t, scriptOf(schema, "up", two));
    for (const script of [scriptOf(schema, "up", two), scriptOf(schema, "down", two.slice(0, 1))]) {
      assertStringIncludes(`${await assertRejects(() => run(t, script))}`, "it is not at version");
    }
    const applied = (await status(t.db, { schema, migrations: two })).map(({ state }) => state);
    assertEquals(applied, ["applied", "applied"]);
  });

  it("leave a schema of somebody else's alone", async () => {
    await using t = await fresh();
    await t.sql`create schema shared`;
    await run(t, scriptOf("shared", "up", migrations));
    await run(t, scriptOf("shared", "down", [...migrations].reverse()));
    assertEquals((await t.sql`select from pg_namespace where nspname = 'shared'`).length, 1);
    const left = await t.sql`select from pg_tables where schemaname = 'shared'`;
    assertEquals(left.length, 0);
  });
});
