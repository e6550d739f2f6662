import { describe, it } from "node:test";
import { assert } from "@std/assert";
import { claim } from "../../../src/postgres/jobs/jobs.ts";
import { tablesOf } from "../../../src/postgres/sql/tables.ts";
import { migrated } from "../../pg.ts";
import { explaining } from "./explaining.ts";

const most = 50;

describe("a claim that finds nothing", () => {
  it(`touches at most ${most} buffers under an old snapshot, 100,000 jobs later`, async () => {
    await using database = await migrated();
    await using session = explaining(database.url);
    const { sql } = database;
    const [row] = await sql`
      insert into hephaestus.processes (name, expires_at) values ('p', now() + interval '1 hour')
      returning id::text, current_setting('server_version_num')::int as version`;
    const demand = {
      process: String(row?.id),
      queue: "default",
      limit: 10,
      serves: [{ workflow: "order", version: 1 }],
    };
    const touched = async (since: number | undefined) => {
      await claim(session.analyze, tablesOf("hephaestus"), { ...demand, since });
      return session.buffers;
    };
    await sql.begin("isolation level repeatable read", async (holder) => {
      await holder`select count(*) from hephaestus.jobs`;
      await sql`
        insert into hephaestus.jobs (instance_id, scheduled_at, workflow_version, kind, state, queue, workflow, step)
        select gen_random_uuid(), now() - interval '1 minute', 1, 'execute', 'available', 'default', 'order', 'pack'
        from generate_series(1, 100000)`;
      await sql`update hephaestus.jobs set state = 'executing', process_id = ${demand.process}`;
      await sql`delete from hephaestus.jobs`;

      const everything = await touched(undefined);
      const recent = await touched(5_000);

      assert(everything > 10 * most, `there is something to be spared: ${everything} buffers`);
      // Older ones know no skip scan: there it saves looks at the table only.
      if (row?.version >= 180_000) assert(recent <= most, `${recent} buffers`);
    });
  });
});
