import process from "node:process";
import type { Sql } from "postgres";
import type { Allowance, Sample } from "./verdict.ts";

/** What must stay as it is while the same work goes on. Tables that keep history are judged by the room of an instance. */
export const allowed: { readonly [gauge: string]: Allowance } = {
  heapMb: { share: 0.05, more: 1.5 },
  handles: { share: 0, more: 4 },
  connections: { share: 0, more: 2 },
  jobsKb: { share: 0.3, more: 400 },
  jobsLive: { share: 0.3, more: 50 },
  jobsDead: { share: 0.5, more: 2_000 },
  processRows: { share: 0, more: 1 },
  bytesPerInstance: { share: 0.1, more: 100 },
};

/** The heap without what is garbage, and what the process and the database hold. */
export async function gauge(sql: Sql, schema: string): Promise<Sample> {
  for (let round = 0; round < 3; round++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { heapUsed, rss } = process.memoryUsage();
  const [row] = await sql`
    select
      (select count(*)::int from pg_stat_activity
        where datname = current_database() and application_name = 'hephaestus') as connections,
      pg_total_relation_size(${`${schema}.jobs`}::regclass)::int as jobs_bytes,
      (select count(*)::int from ${sql(schema)}.jobs) as jobs_live,
      (select n_dead_tup::int from pg_stat_user_tables
        where schemaname = ${schema} and relname = 'jobs') as jobs_dead,
      (select count(*)::int from ${sql(schema)}.processes) as process_rows,
      (select count(*)::int from ${sql(schema)}.workflow_instances) as instances,
      (pg_total_relation_size(${`${schema}.workflow_instances`}::regclass)
        + pg_total_relation_size(${`${schema}.step_results`}::regclass))::float8 as history_bytes,
      (select count(*)::int from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%') as stuck`;
  return {
    heapMb: rounded(heapUsed / 1_048_576),
    rssMb: rounded(rss / 1_048_576),
    handles: process.getActiveResourcesInfo?.().length ?? 0,
    connections: row!.connections,
    stuck: row!.stuck,
    jobsKb: Math.round(row!.jobs_bytes / 1_024),
    jobsLive: row!.jobs_live,
    jobsDead: row!.jobs_dead,
    processRows: row!.process_rows,
    instances: row!.instances,
    bytesPerInstance: Math.round(row!.history_bytes / Math.max(1, row!.instances)),
  };
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10;
}
