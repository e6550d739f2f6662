import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { list, page } from "../../../src/postgres/instances/list.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { tablesOf } from "../../../src/postgres/sql/tables.ts";
import type { Filter } from "../../../src/backend/store.ts";
import { migrated } from "../../pg.ts";
import { explaining } from "../jobs/explaining.ts";

const t = tablesOf("hephaestus");
const filters: Readonly<Record<string, Omit<Filter, "limit">>> = {
  "of all workflows": {},
  "of a workflow": { workflow: "order" },
  "of a workflow and a status": { workflow: "order", statuses: ["completed"] },
  "of a status": { statuses: ["completed", "failed"] },
  "of a workflow that nobody has started": { workflow: "none" },
};

/** 50,000 instances of three workflows, a moment apart, most of them completed. */
async function filled() {
  const database = await migrated();
  await database.sql`
    insert into hephaestus.workflow_instances (id, workflow_version, status, control, workflow, key, inserted_at)
    select md5(n::text)::uuid, 1, (array['completed', 'completed', 'failed', 'waiting', 'completed'])[1 + n % 5],
      '{}', (array['order', 'invoice', 'refund'])[1 + n % 3], n::text, now() - n * interval '1 second'
    from generate_series(1, 50000) n`;
  await database.sql`analyze hephaestus.workflow_instances`;
  return database;
}

describe("a page of the newest instances", () => {
  it("touches few buffers among 50,000, whatever it is of", async () => {
    await using database = await filled();
    await using plan = explaining(database.url);
    for (const [what, filter] of Object.entries(filters)) {
      await list(plan.analyze, t, { ...filter, limit: 20 });
      assert(plan.buffers < 1_500, `${what}: ${plan.buffers} buffers`);
    }
  });

  it("holds what a look at all of them would hold, page after page", async () => {
    await using database = await filled();
    const db = connect({ url: database.url, max: 1 });
    for (const filter of Object.values(filters)) {
      const all = [
        ...await database.sql<{ key: string }[]>`
        select key from hephaestus.workflow_instances
        where workflow = coalesce(${filter.workflow ?? null}, workflow)
          and status = any (coalesce(${filter.statuses ?? null}, array[status]))
        order by inserted_at desc, id desc limit 60`,
      ].map(({ key }) => key);
      const first = await page(db, t, { ...filter, limit: 30 }, undefined);
      const second = first.next
        ? await page(db, t, { ...filter, limit: 30 }, first.next)
        : { items: [] };
      assertEquals([...first.items, ...second.items].map(({ key }) => key), all);
    }
    await db.close();
  });
});
