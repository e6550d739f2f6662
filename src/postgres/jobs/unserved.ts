import type { Unserved } from "../../backend/queue.ts";
import type { Tx } from "../driver/contract.ts";
import type { Tables } from "../sql/tables.ts";

interface UnservedRow {
  readonly queue: string;
  readonly workflow: string;
  readonly version: string;
  readonly count: string;
  readonly step: string | null;
  readonly has_queue: string;
  readonly has_code: string;
  readonly served: string;
}

/**
 * Due jobs that no living process can take. Such jobs stay at the head of their queue, so the first
 * thousand of each queue are enough. The queues are found one by one in the index, regardless of
 * how many jobs wait in them.
 */
export async function unserved(on: Pick<Tx, "query">, t: Tables): Promise<readonly Unserved[]> {
  const serves = "(alive.queues is null or due.queue = any (alive.queues))";
  const knows =
    "(alive.serves is null or due.workflow || '@' || due.workflow_version = any (alive.serves))";
  const rows = await on.query<UnservedRow>(
    `with recursive alive as materialized (
       select queues, serves from ${t.processes} where expires_at > now()
     ),
     queues as (
       (select queue from ${t.jobs} where state = 'available' order by queue limit 1)
       union all
       select (
         select job.queue
         from ${t.jobs} as job
         where job.state = 'available' and job.queue > queues.queue
         order by job.queue
         limit 1)
       from queues
       where queues.queue is not null
     ),
     due as (
       select head.*
       from queues
       cross join lateral (
         select queue, workflow, workflow_version, step
         from ${t.jobs}
         where state = 'available' and queue = queues.queue and scheduled_at <= now()
         order by priority, scheduled_at, id
         limit 1000) as head
     )
     select due.queue, due.workflow, due.workflow_version::text as version, count(*)::text, min(due.step) as step,
       exists (select from alive where ${serves})::text as has_queue,
       exists (select from alive where ${knows})::text as has_code,
       coalesce((select jsonb_agg(distinct name) from alive, unnest(alive.queues) as name), '[]')::text as served
     from due
     group by due.queue, due.workflow, due.workflow_version
     having not exists (select from alive where ${serves} and ${knows})
     order by due.queue, due.workflow, due.workflow_version`,
  );
  return rows.map((row) => ({
    queue: row.queue,
    workflow: row.workflow,
    version: Number(row.version),
    count: Number(row.count),
    step: row.step ?? undefined,
    hasQueue: row.has_queue === "true",
    hasCode: row.has_code === "true",
    servedQueues: JSON.parse(row.served),
  }));
}
