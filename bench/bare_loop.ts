import { randomUUID } from "node:crypto";
import { connect } from "../src/postgres/driver/connect.ts";
import type { Db } from "../src/postgres/driver/contract.ts";
import type { BenchDatabase } from "./database.ts";
import { type Cost, measure } from "./measure.ts";
import { usage } from "./own_process.ts";

const batch = 500;
const application = "hephaestus-bare";

/** The tables of the loop, with only the columns and indexes that a durable step needs. */
function tables(schema: string): string {
  return `
create table ${schema}.bare_instances (id uuid primary key, revision int not null, control jsonb not null)
  with (fillfactor = 50);
create table ${schema}.bare_results (instance_id uuid, step int, event text not null, output jsonb,
  inserted_at timestamptz not null default now(), primary key (instance_id, step));
create table ${schema}.bare_jobs (id bigint primary key, instance_id uuid not null, step int not null,
  state text not null, process_id bigint, scheduled_at timestamptz not null default now());
create index on ${schema}.bare_jobs (scheduled_at, id) where state = 'available';`;
}

/**
 * The minimum for a durable step: advance its instance, keep its result, delete its job, insert the
 * next one.
 */
export function bareStatement(schema: string): string {
  return `
with advanced as (
  update ${schema}.bare_instances as instance
  set revision = instance.revision + 1, control = x.control::jsonb
  from unnest($1::uuid[], $2::int[], $3::text[]) as x (id, revision, control)
  where instance.id = x.id and instance.revision = x.revision
  returning instance.id, instance.revision
), recorded as (
  insert into ${schema}.bare_results (instance_id, step, event, output)
  select id, revision, 'ok', '{"n": 1}' from advanced
), settled as (
  delete from ${schema}.bare_jobs where id = any ($4::bigint[])
), started as (
  insert into ${schema}.bare_jobs (id, instance_id, step, state, process_id)
  select x.job, advanced.id, advanced.revision, 'executing', 1
  from unnest($1::uuid[], $5::bigint[]) as x (id, job) join advanced using (id)
)
select count(*) from advanced`;
}

/**
 * Runs `instances` through `steps` steps in batches of 500 on two connections, without the engine.
 */
export async function bareLoop(
  database: BenchDatabase,
  instances: number,
  steps: number,
): Promise<Cost> {
  const { url, schema, observer } = database;
  await observer.query(
    `drop table if exists ${schema}.bare_instances, ${schema}.bare_results, ${schema}.bare_jobs`,
  );
  const ids = Array.from({ length: instances }, () => randomUUID()).sort();
  const setup = connect({ url, max: 1 });
  await setup.script(tables(schema));
  await setup.query(
    `with i as (insert into ${schema}.bare_instances select id, 1, '{}' from unnest($1::uuid[]) as id)
    insert into ${schema}.bare_jobs (id, instance_id, step, state)
    select at, id, 0, 'executing' from unnest($1::uuid[]) with ordinality as x (id, at)`,
    [`{${ids.join(",")}}`],
  );
  await setup.close();
  const db = connect({ url, max: 2, applicationName: application });
  await Promise.all([db.query("select 1"), db.query("select 1")]);
  return await measure(database, {
    application,
    usage: () => Promise.resolve(usage()),
    run: () => lanes(db, bareStatement(schema), ids, steps),
    close: () => db.close(),
  });
}

async function lanes(
  db: Db,
  statement: string,
  ids: readonly string[],
  steps: number,
): Promise<void> {
  let next = 0;
  let job = ids.length;
  const lane = async (): Promise<void> => {
    for (let from = next; from < ids.length; from = next) {
      next += batch;
      const mine = ids.slice(from, from + batch);
      const text = `{${mine.join(",")}}`;
      let jobs = mine.map((_, index) => from + index + 1);
      for (let step = 1; step <= steps; step++) {
        const following = mine.map(() => ++job);
        const controls = mine.map(() => `"{\\"active\\":[\\"s${step}\\"]}"`);
        const revisions = mine.map(() => step);
        await db.query(statement, [
          text,
          `{${revisions}}`,
          `{${controls}}`,
          `{${jobs}}`,
          `{${following}}`,
        ]);
        jobs = following;
      }
    }
  };
  await Promise.all([lane(), lane()]);
}
