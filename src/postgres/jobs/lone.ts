import { deathsInCompany, type Job } from "../../backend/job.ts";
import type { LoneDemand } from "../../backend/queue.ts";
import type { Queryable } from "../driver/contract.ts";
import { columns, texts } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";
import { jobColumns, jobOf, type JobRow } from "./jobs.ts";

/**
 * The job that has waited longest to run alone. The conditions imply those of the index of such
 * jobs, which is almost always empty.
 */
function next(t: Tables): string {
  return `
         select id
         from ${t.jobs}
         where state = 'available'
           and deaths >= ${deathsInCompany}
           and queue = any ($1::text[])
           and scheduled_at <= now()
           and (workflow, workflow_version) in (select * from unnest($2::text[], $3::int[]))
         order by scheduled_at, id
         limit 1`;
}

function parameters({ queues, serves }: Omit<LoneDemand, "process">): readonly string[] {
  return [
    texts(queues),
    ...columns(serves, (served) => served.workflow, (served) => served.version),
  ];
}

/** Claims one job that must run alone, in the same way as a claim. */
export async function claimLone(
  on: Queryable,
  t: Tables,
  demand: LoneDemand,
): Promise<Job | undefined> {
  const [row] = await on.query<JobRow>(
    `with me as materialized (
       select id from ${t.processes} where id = $4::text::bigint for key share
     )
     update ${t.jobs} as job
     set state = 'executing', attempt = job.attempt + 1, token = job.token + 1, process_id = $4::text::bigint,
       attempted_at = now()
     where job.id = any (array(${next(t)}
         for update skip locked))
       and exists (select from me)
     returning ${jobColumns}`,
    [...parameters(demand), demand.process],
  );
  return row && jobOf(row);
}

/** Whether such a job is waiting. */
export async function loneWaits(
  on: Queryable,
  t: Tables,
  demand: Omit<LoneDemand, "process">,
): Promise<boolean> {
  return (await on.query(`select id::text from (${next(t)}) as waiting`, parameters(demand)))
    .length > 0;
}
