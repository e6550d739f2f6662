import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { Hephaestus, HephaestusError } from "../../mod.ts";
import { eventually, keeping } from "../everywhere.ts";
import { migrated } from "../pg.ts";
import { order, settle, shop } from "./shop.ts";

const working = { poll: "50ms", heartbeat: "100ms", lease: "5s", queues: { default: 10 } } as const;

describe("a database without a free connection", () => {
  it("is waited for at the start and in the middle, and callers are told why", async () => {
    await using database = await migrated();
    const { sql } = database;
    const role = `r_${crypto.randomUUID().slice(0, 8)}`;
    await sql.unsafe(`
      create table effects (key text, step text);
      create role ${role} login password 'few' connection limit 2;
      grant usage on schema hephaestus to ${role};
      grant all on all tables in schema hephaestus to ${role};
      grant all on all sequences in schema hephaestus to ${role};
      grant all on effects to ${role}`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, "few"];
    const logger = keeping();
    const taken = postgres(url.href, { max: 2 });
    try {
      await Promise.all([taken`select pg_sleep(0.1)`, taken`select pg_sleep(0.1)`]);
      await using hephaestus = new Hephaestus({ url: url.href, workflows: [shop], logger });
      const worker = hephaestus.work(working);
      const error = await assertRejects(
        () => hephaestus.start(shop, "none", undefined),
        HephaestusError,
        `Cannot reach the database: too many connections for role "${role}" (53300)`,
      );
      assertEquals(error.code, "DATABASE_UNREACHABLE");
      await eventually(
        () => logger.said.some((line) => line.includes("start the worker")),
        "it says",
      );

      // Enough to begin, too few for everything that it would open.
      await sql.unsafe(`alter role ${role} connection limit 6`);
      await worker.ready;
      const ordering = order(hephaestus, 20);
      await eventually(async () => {
        const [row] = await sql`select from pg_stat_activity where usename = ${role} offset 5`;
        return row !== undefined;
      }, "every connection is taken");
      await sql.unsafe(`alter role ${role} connection limit 40`);
      await taken.end();

      await settle(hephaestus, sql, await ordering);
    } finally {
      await taken.end();
    }
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
  });
});

const kinds = {
  listener: "^listen|pg_listening_channels",
  heartbeat: "heartbeat_at|expires_at",
  commit: "advanced|recorded",
  claim: "attempted_at = now|scheduled_at",
  "transaction of a step": "effects|^commit",
  everything: ".",
};

describe("a connection that the server terminates", () => {
  for (const inline of [true, false]) {
    it(`is replaced, whatever it was for (${inline ? "inline" : "through jobs"})`, async () => {
      await using database = await migrated();
      const { sql, url } = database;
      await sql`create table effects (key text, step text)`;
      await using hephaestus = new Hephaestus({
        url,
        workflows: [shop],
        inline,
        logger: keeping(),
      });
      await hephaestus.work(working).ready;

      for (const [kind, query] of Object.entries(kinds)) {
        const ordering = order(hephaestus, 8, `${kind} `);
        let terminated = 0;
        await eventually(async () => {
          const [row] = await sql`
            select count(*) filter (where pg_terminate_backend(pid))::int as n
            from pg_stat_activity
            where datname = current_database() and application_name = 'hephaestus'
              and query ~ ${query}`;
          terminated += row?.n;
          return terminated >= 2;
        }, `connections of kind "${kind}" are terminated`);

        await settle(hephaestus, sql, await ordering, { cut: true });
      }
    });
  }
});
