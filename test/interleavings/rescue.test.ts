import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { postgresQueue } from "../../src/postgres/queue.ts";
import { tablesOf } from "../../src/postgres/sql/tables.ts";
import { eventually, silent } from "../everywhere.ts";
import { migrated } from "../pg.ts";
import { crossing, queues } from "./crossing.ts";

// Stops the statement that declares dead after it has got its snapshot and before it locks a row.
const gate = `
  create function public.now() returns timestamptz language plpgsql volatile as $$
  begin
    if current_query() like '%delete from%processes%' then
      perform pg_advisory_xact_lock_shared(7);
    end if;
    return pg_catalog.now();
  end $$`;

describe("a claim that commits between a rescue's first look and its lock", () => {
  it("is found by the rescue's later statement", async () => {
    await using database = await migrated();
    const { sql, url } = database;
    await sql.unsafe(gate);
    await using backend = postgresBackend({ url, poolSize: 6 });
    await using hephaestus = new Hephaestus({ url, workflows: [crossing], logger: silent, queues });
    await hephaestus.start(crossing, "one", undefined);
    const process = await backend.queue.register("late", 0);
    const gated = connect({ url, max: 1, settings: { search_path: "public, pg_catalog" } });
    const listen = () => ({ [Symbol.asyncDispose]: () => Promise.resolve() });
    const notify = () => Promise.resolve();
    const t = tablesOf("hephaestus");
    const queue = postgresQueue({ reads: gated, calls: gated, pulse: gated, t, notify, listen });
    const keeper = await sql.reserve();
    await keeper`select pg_advisory_lock(7)`;

    const rescuing = queue.rescue();
    await eventually(
      async () =>
        (await sql`select from pg_locks where locktype = 'advisory' and not granted`).length > 0,
      "the rescue stands before the gate",
    );
    const serves = [{ workflow: "crossing", version: 1 }];
    const claimed = await backend.queue.claim({ process, queue: "steps", limit: 10, serves });
    await keeper`select pg_advisory_unlock(7)`;
    keeper.release();

    assertEquals((await rescuing).processes, [process]);
    assertEquals(claimed.length, 2);
    const lost = await sql`select step from hephaestus.jobs where state = 'executing'`;
    assertEquals(lost.map(({ step }) => step), []);
    await gated.close();
  });
});
