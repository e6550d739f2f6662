import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { SchemaVersionError } from "../../../src/core/errors/errors.ts";
import type { Db } from "../../../src/postgres/driver/contract.ts";
import { assertMigrated, migrate, status } from "../../../src/postgres/migrations/migrate.ts";
import type { Migration } from "../../../src/postgres/migrations/migration.ts";
import { migrations } from "../../../src/postgres/migrations/migrations.gen.ts";
import { fresh, made } from "./migrating.ts";

const schema = "hephaestus";

describe("assertMigrated()", () => {
  it("accepts a schema that is up to date", async () => {
    await using t = await fresh();

    await migrate(t.db, { schema });

    await assertMigrated(t.db, { schema });
  });

  it("says which command to run when there are no tables", async () => {
    await using t = await fresh();

    assertEquals(
      await refusal(t.db, schema),
      'Cannot use schema "hephaestus": it has no tables yet. ' +
        'Run "npx hephaestus migrate" or "deno task migrate"',
    );
    assertEquals(
      await refusal(t.db, "it's"),
      `Cannot use schema "it's": it has no tables yet. Run "npx hephaestus migrate --schema 'it'\\''s'"` +
        ` or "deno task migrate --schema 'it'\\''s'"`,
    );
  });

  it("says which command to run when migrations are missing", async () => {
    await using t = await fresh();
    const two = [made(1, "select 1"), made(2, "select 2")];

    await migrate(t.db, { schema, migrations: two.slice(0, 1) });

    assertEquals(
      await refusal(t.db, schema, two),
      'Cannot use schema "hephaestus": it is at version 1, but this package needs 2. ' +
        'Run "npx hephaestus migrate" or "deno task migrate"',
    );
  });

  it("refuses a schema that is newer than the package, and so does migrate", async () => {
    await using t = await fresh();
    const two = [made(1, "select 1"), made(2, "select 2")];
    const old = two.slice(0, 1);
    const sentence =
      'Cannot use schema "hephaestus": it is at version 2, but this package only knows versions up to 1. ' +
      "Update @hephaestus/workflow";

    await migrate(t.db, { schema, migrations: two });

    assertEquals(await refusal(t.db, schema, old), sentence);
    for (const direction of ["up", "down"] as const) {
      const change = () => migrate(t.db, { schema, migrations: old, direction });
      assertEquals((await assertRejects(change, SchemaVersionError)).message, sentence);
    }
    const states = (await status(t.db, { schema, migrations: old })).map(({ state }) => state);
    assertEquals(states, ["applied", "unknown"]);
  });

  it("refuses a migration that was changed after it was applied, and so does migrate", async () => {
    await using t = await fresh();
    const original = [made(1, "select 1")];
    const changed = [made(1, "select 2")];
    const sentence =
      'Cannot use schema "hephaestus": migration 1 "m1" differs from the one that was applied';

    await migrate(t.db, { schema, migrations: original });

    assertEquals(await refusal(t.db, schema, changed), sentence);
    for (const direction of ["up", "down"] as const) {
      const change = () => migrate(t.db, { schema, migrations: changed, direction });
      assertEquals((await assertRejects(change, SchemaVersionError)).message, sentence);
    }
    const states = (await status(t.db, { schema, migrations: changed })).map(({ state }) => state);
    assertEquals(states, ["changed"]);
  });

  it("refuses a gap in what was applied", async () => {
    await using t = await fresh();
    const two = [made(1, "select 1"), made(2, "select 2")];
    await migrate(t.db, { schema, migrations: two });

    await t.sql`delete from hephaestus.migrations where version = 1`;

    assertEquals(
      await refusal(t.db, schema, two),
      'Cannot use schema "hephaestus": migration 1 is missing, but 2 was applied',
    );
  });
});

async function refusal(
  db: Db,
  schema: string,
  known: readonly Migration[] = migrations,
): Promise<string> {
  const error = await assertRejects(() => assertMigrated(db, { schema, migrations: known }));
  assertInstanceOf(error, SchemaVersionError);
  return error.message;
}
