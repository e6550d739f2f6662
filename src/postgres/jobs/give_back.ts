import { deathsInCompany } from "../../backend/job.ts";
import type { Counting, Lease } from "../../backend/queue.ts";
import type { Queryable } from "../driver/contract.ts";
import { columns } from "../sql/arrays.ts";
import { held } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";
import { wakeAdvances } from "./wake.ts";

/**
 * Makes the jobs of the CTE `back` available. It has the columns id, kind, the number of attempts
 * to give back and the number of deaths to count. An advance yields to one that is already waiting:
 * its row is deleted, and an advance is requested as in any other wake-up. A job in a reused row is
 * due from when it was inserted. Otherwise scans that begin after the older job's time would miss
 * it.
 */
function giveBack(t: Tables, back: string): string {
  return `with back as materialized (${back}),
     given as (
       update ${t.jobs} as job
       set state = 'available', process_id = null, attempt = job.attempt - back.refund,
         deaths = job.deaths + back.died, scheduled_at = greatest(job.scheduled_at, job.inserted_at)
       from back
       where job.id = back.id and back.kind <> 'advance'
       returning job.queue
     ),
     closed as (
       delete from ${t.jobs} as job
       using back
       where job.id = back.id and back.kind = 'advance'
       returning job.*, back.refund, back.died
     ),
     woken as (${
    wakeAdvances(
      t,
      `select distinct on (instance_id) instance_id, queue, workflow, workflow_version, instance_id,
         attempt - refund, errors, deaths + died
       from closed
       order by instance_id`,
      ["attempt", "errors", "deaths"],
    )
  })
     select distinct queue from (select queue from given union all select queue from closed) as woken (queue)`;
}

async function queues(
  on: Queryable,
  text: string,
  parameters: readonly string[],
): Promise<readonly string[]> {
  return (await on.query<{ queue: string }>(text, parameters)).map((row) => row.queue);
}

/** Gives jobs back. Their attempt is not used up unless it is `counted`. */
export function release(
  on: Queryable,
  t: Tables,
  leases: readonly Lease[],
  { counted = false }: Counting = {},
): Promise<readonly string[]> {
  const back = `
       select job.id, job.kind, ${counted ? 0 : 1} as refund, 0 as died
       from ${t.jobs} as job
       join unnest($1::bigint[], $2::bigint[], $3::int[]) as lease (id, process_id, token)
         on job.id = lease.id and ${held("lease.process_id", "lease.token")}
       order by job.id
       for update of job`;
  return queues(
    on,
    giveBack(t, back),
    columns(leases, (l) => l.id, (l) => l.process, (l) => l.token),
  );
}

/** Makes due jobs available. */
export function stage(on: Queryable, t: Tables, limit: number): Promise<readonly string[]> {
  const back = `
       select id, kind, 0 as refund, 0 as died
       from ${t.jobs}
       where state in ('scheduled', 'retryable') and scheduled_at <= now()
       order by scheduled_at, id
       limit $1::text::int
       for update skip locked`;
  return queues(on, giveBack(t, back), [String(limit)]);
}

/**
 * Makes the executing jobs of a process that has left available. This must be a later statement
 * than the one that deleted its row.
 */
export function freeLeft(on: Queryable, t: Tables, process: string): Promise<readonly string[]> {
  const back = `
       select id, kind, 1 as refund, 0 as died
       from ${t.jobs}
       where state = 'executing' and process_id = any ($1::bigint[])
       order by id + 0
       for update`;
  return queues(on, giveBack(t, back), columns([process], (id) => id));
}

/**
 * Makes the executing jobs of processes that were declared dead available. This must be a later
 * statement than the one that deleted their rows. A job that was alone may have killed the process,
 * and its attempt stays counted. With several jobs, it is unknown which of them did. `id + 0` keeps
 * the planner from scanning the whole primary key only for the order.
 */
export function freeDead(
  on: Queryable,
  t: Tables,
  processes: readonly string[],
): Promise<readonly string[]> {
  const back = `
       select job.id, job.kind, case when of.jobs > 1 and job.deaths < ${deathsInCompany} then 1 else 0 end as refund,
         1 as died
       from ${t.jobs} as job
       join (
         select process_id, count(*) as jobs
         from ${t.jobs}
         where state = 'executing' and process_id = any ($1::bigint[])
         group by process_id
       ) as of using (process_id)
       where job.state = 'executing' and job.process_id = any ($1::bigint[])
       order by job.id + 0
       for update of job`;
  return queues(on, giveBack(t, back), columns(processes, (id) => id));
}

/** Makes an executing job available whose process does not exist. */
export function freeUnowned(on: Queryable, t: Tables, job: string): Promise<readonly string[]> {
  const back = `
       select id, kind, 0 as refund, 0 as died
       from ${t.jobs} as job
       where id = any ($1::bigint[]) and state = 'executing'
         and not exists (select from ${t.processes} as process where process.id = job.process_id)
       order by id
       for update`;
  return queues(on, giveBack(t, back), columns([job], (id) => id));
}
