import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { HephaestusError } from "../../../src/core/errors/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { Db } from "../../../src/postgres/driver/contract.ts";
import { assertMigrated, migrate } from "../../../src/postgres/migrations/migrate.ts";
import { database } from "../../pg.ts";

/** The server, but for what it says of its age. */
function aged(db: Db, version: string, number: string): Db {
  return {
    ...db,
    query: <R>(text: string, params?: readonly (string | null)[]) =>
      text.includes("server_version")
        ? Promise.resolve([{ version, number }] as unknown as readonly R[])
        : db.query<R>(text, params),
  };
}

describe("a server that is older than PostgreSQL 15", () => {
  it("is refused with a sentence, by migrate and at the start, and nothing is made in it", async () => {
    await using there = await database();
    const db = connect({ url: there.url, max: 1 });
    const old = aged(db, "14.11 (Debian 14.11-1)", "140011");
    for (const work of [migrate, assertMigrated]) {
      const error = await assertRejects(
        () => work(old, { schema: "hephaestus" }) as Promise<unknown>,
        HephaestusError,
        "Cannot use PostgreSQL 14.11 (Debian 14.11-1): version 15 or newer is required",
      );
      assertEquals(error.code, "DATABASE_REFUSED");
    }
    const made = await there.sql`select from pg_namespace where nspname = 'hephaestus'`;
    assertEquals(made.length, 0);

    await migrate(aged(db, "15.0", "150000"), { schema: "hephaestus" });
    await assertMigrated(aged(db, "19beta1", "190000"), { schema: "hephaestus" });
    await db.close();
  });
});
