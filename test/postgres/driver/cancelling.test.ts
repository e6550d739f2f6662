import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseError } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { ConnectOptions, Db } from "../../../src/postgres/driver/contract.ts";
import { eventually } from "../../everywhere.ts";
import { type Database, database } from "../../pg.ts";
import { proxy } from "../../proxy.ts";

async function on(
  options: ConnectOptions,
  work: (db: Db, own: Database) => Promise<void>,
): Promise<void> {
  await using own = await database();
  const db = connect({ url: own.url, max: 2, ...options });
  try {
    await work(db, own);
  } finally {
    await db.close();
  }
}

const sleeping = async ({ sql }: Database) =>
  (await sql`select from pg_stat_activity
    where datname = current_database() and state = 'active' and query ~ 'pg_sleep' and pid <> pg_backend_pid()`)
    .length;

const nothingSleeps = (own: Database) =>
  eventually(async () => await sleeping(own) === 0, "the server has stopped");

describe("what a client gives up on", () => {
  it("is cancelled on the server: a statement at its deadline", () =>
    on({ deadline: 300 }, async (db, own) => {
      await db.query("select 1");
      await assertRejects(() => db.query("select pg_sleep(600)"), DatabaseError, "in time");
      await nothingSleeps(own);
    }));

  it("is cancelled on the server: a transaction at its deadline", () =>
    on({}, async (db, own) => {
      const late = db.transaction((tx) => tx.query("select pg_sleep(600)"), { deadline: 300 });
      await assertRejects(() => late, DatabaseError, "in time");
      await nothingSleeps(own);
    }));

  it("is cancelled on the server: a transaction whose work has ended without its statement", () =>
    on({}, async (db, own) => {
      const left = db.transaction(async (tx) => {
        void tx.query("select pg_sleep(600)");
        await eventually(async () => await sleeping(own) === 1, "it sleeps");
        throw new RangeError("aborted");
      });
      await assertRejects(() => left, RangeError, "aborted");
      await nothingSleeps(own);
    }));

  it("is cancelled on the server: what runs when the pool is closed", async () => {
    await using own = await database();
    const db = connect({ url: own.url, max: 1 });
    const running = assertRejects(() => db.query("select pg_sleep(600)"), DatabaseError, "closed");
    await eventually(async () => await sleeping(own) === 1, "it sleeps");
    await db.close();
    await running;
    await nothingSleeps(own);
  });

  it("is cancelled on the server: what ran on a socket that was cut", async () => {
    await using own = await database();
    await using road = await proxy(own.url);
    const db = connect({ url: road.url, max: 1 });
    await db.query("select 1");
    const running = assertRejects(() => db.query("select pg_sleep(600)"), DatabaseError);
    await eventually(async () => await sleeping(own) === 1, "it sleeps");
    road.cut();
    await running;
    await nothingSleeps(own);
    await db.close();
  });

  it("is not sent at all where the server could not be stopped", () =>
    on({}, async (db) => {
      for (const text of ["/**/".repeat(200_000), "/*".repeat(50_000) + "*/".repeat(50_000)]) {
        await assertRejects(() => db.query(`${text} select 1`), TypeError, "thousands of comments");
      }
      const usual = [
        "/* */ ".repeat(20_000),
        `--${"-".repeat(50_000)}\n`,
        `/*${"*".repeat(50_000)}*/`,
      ];
      for (const text of usual) {
        assertEquals(await db.query(`${text} select 1 as one`), [{ one: "1" }]);
      }
    }));
});
