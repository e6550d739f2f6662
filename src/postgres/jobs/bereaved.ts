import { namedAtMost, type OrphanedJob } from "../../backend/queue.ts";
import { array } from "../sql/arrays.ts";
import type { Tx } from "../driver/contract.ts";
import type { Tables } from "../sql/tables.ts";

/** What processes were running that were declared dead; asked before their jobs are freed. */
export async function runBy(
  on: Pick<Tx, "query">,
  t: Tables,
  processes: readonly string[],
): Promise<readonly OrphanedJob[]> {
  const rows = await on.query<Record<string, string | null>>(
    `select job.process_id::text as process, job.id::text as job, job.kind, job.workflow,
       job.workflow_version::text as version, instance.key, job.instance_id::text as instance, job.step,
       job.attempt::text, job.max_attempts::text
     from ${t.jobs} as job
     left join ${t.instances} as instance on instance.id = job.instance_id
     where job.state = 'executing' and job.process_id = any ($1::bigint[])
     order by job.process_id, job.kind = 'execute' desc, job.id
     limit ${namedAtMost}`,
    [array(processes, (id) => id)],
  );
  return rows.map((row) => ({
    process: row.process!,
    job: row.job!,
    kind: row.kind!,
    workflow: row.workflow!,
    version: Number(row.version),
    key: row.key ?? undefined,
    instance: row.instance!,
    step: row.step ?? undefined,
    attempt: Number(row.attempt),
    maxAttempts: row.max_attempts === null ? undefined : Number(row.max_attempts),
  }));
}
