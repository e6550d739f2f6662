import type { NewJob } from "../queue/job.ts";
import { texts } from "./arrays.ts";
import type { Column, Statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

const jobColumns: readonly Column<NewJob>[] = [
  ["uuid", (job) => job.instance],
  ["bigint", (job) => job.id],
  ["text", (job) => job.kind],
  ["text", (job) => job.queue],
  ["text", (job) => job.workflow],
  ["int", (job) => job.version],
  ["text", (job) => job.step],
  ["int", (job) => job.priority],
  ["int", (job) => job.maxAttempts],
  ["float8", (job) => job.delay],
  ["boolean", (job) => job.owned],
  ["text", (job) => (job.tags.length > 0 ? texts(job.tags) : undefined)],
  ["text", (job) => job.metadata],
  ["text", (job) => job.args],
];

/**
 * The statement that inserts jobs of the instances that the common table expression `of` holds. Those that begin here are owned by the
 * process in `me`, where it is alive.
 */
export function insertJobs(s: Statement, t: Tables, jobs: readonly NewJob[], of: string): string {
  return `insert into ${t.jobs} (id, instance_id, kind, state, queue, workflow, workflow_version, step, priority,
    max_attempts, scheduled_at, attempt, attempted_at, process_id, tags, metadata, args)
  select job.id, job.instance_id, job.kind,
    case when job.owned and me.id is not null then 'executing' when job.delay > 0 then 'scheduled' else 'available' end,
    job.queue, job.workflow, job.version, job.step, job.priority, job.max_attempts,
    now() + job.delay * interval '1 millisecond', case when job.owned and me.id is not null then 1 else 0 end,
    case when job.owned and me.id is not null then now() end, case when job.owned then me.id end,
    job.tags::text[], job.metadata::jsonb, job.args::jsonb
  from unnest(${s.lists(jobs, ...jobColumns)})
    as job (instance_id, id, kind, queue, workflow, version, step, priority, max_attempts, delay, owned, tags, metadata,
      args)
  join ${of} on ${of}.id = job.instance_id
  left join me on true`;
}
