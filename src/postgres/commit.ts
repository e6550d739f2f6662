import { isFinal } from "../core/instance.ts";
import type { AppliedResult, Processed, Turn } from "../store/turn.ts";
import { columns } from "./arrays.ts";
import type { Tx } from "./db.ts";
import type { NewJob } from "../queue/job.ts";
import type { Tables } from "./tables.ts";

/** The channels of a schema, to be put between single quotes. */
export interface Channels {
  readonly jobs: string;
  readonly ended: string;
}

/** One durable step costs one row of each of these lists, in one statement, which is one transaction. */
export function commitStatement(t: Tables, channels: Channels): string {
  return `
with me as materialized (
  -- Whoever declares this process dead deletes the row and so waits for us; once it is gone, nothing below is written.
  select id from ${t.processes} where id = $1::text::bigint for key share
),
turn as (
  select * from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
    as turn (instance_id, revision, status, control, metadata, error)
),
advanced as (
  update ${t.instances} as instance
  set revision = instance.revision + 1,
      status = turn.status,
      control = turn.control::jsonb,
      metadata = coalesce(turn.metadata::jsonb, instance.metadata),
      error = coalesce(turn.error::jsonb, instance.error),
      updated_at = now(),
      finished_at = case when turn.status in ('completed', 'failed', 'cancelled') then now() end
  from turn
  where instance.id = turn.instance_id
    and instance.revision = turn.revision
    and exists (select from me)
  returning instance.id, instance.revision, instance.status, instance.workflow_version
),
recorded as (
  insert into ${t.results} (instance_id, step_ref, activation, event, context_updates, metadata_updates, attempt,
    errors, started_at, inserted_at, causes, process_id, processed, applied_revision, workflow_version)
  select advanced.id, result.step, result.activation, result.event, result.output::jsonb, result.metadata::jsonb,
    result.attempt, result.errors::jsonb, now() - result.duration * interval '1 millisecond',
    now() + result.place * interval '1 microsecond',
    string_to_array(result.causes, ','), $1::text::bigint, true, advanced.revision, advanced.workflow_version
  from unnest($8::uuid[], $9::text[], $10::int[], $11::text[], $12::text[], $13::text[], $14::int[], $15::text[],
      $16::float8[], $17::text[]) with ordinality
    as result (instance_id, step, activation, event, output, metadata, attempt, errors, duration, causes, place)
  join advanced on advanced.id = result.instance_id
),
marked as (
  update ${t.results} as result
  set processed = true,
      applied_revision = case when read.causes is not null then advanced.revision end,
      causes = string_to_array(read.causes, ',')
  from unnest($18::uuid[], $19::text[], $20::int[], $21::text[]) as read (instance_id, step, activation, causes)
  join advanced on advanced.id = read.instance_id
  where result.instance_id = read.instance_id
    and result.step_ref = read.step
    and result.activation = read.activation
),
settled as (
  delete from ${t.jobs}
  where id = any (array(
    select own.id
    from unnest($22::uuid[], $23::bigint[]) as own (instance_id, id)
    where own.instance_id in (select id from advanced)
    order by own.id))
),
resolved as (
  delete from ${t.jobs} as job
  using unnest($24::uuid[], $25::text[]) as wait (instance_id, step)
  join advanced on advanced.id = wait.instance_id
  where job.instance_id = wait.instance_id
    and job.step = wait.step
    and job.kind <> 'advance'
    and job.state not in ('discarded', 'cancelled')
),
dropped as (
  delete from ${t.jobs} as job
  using advanced
  where advanced.status = 'completed'
    and job.instance_id = advanced.id
    and job.kind <> 'advance'
    and job.state not in ('discarded', 'cancelled')
),
cancelled as (
  update ${t.jobs} as job
  set state = 'cancelled', finished_at = now(), process_id = null
  from advanced
  where advanced.status in ('failed', 'cancelled')
    and job.instance_id = advanced.id
    and job.kind <> 'advance'
    and job.state not in ('discarded', 'cancelled')
    and job.id <> all ($23::bigint[])
),
started as (
  insert into ${t.jobs} (id, instance_id, kind, state, queue, workflow, workflow_version, step, priority,
    max_attempts, scheduled_at, attempt, attempted_at, process_id, tags, metadata, args)
  select job.id, advanced.id, job.kind,
    case when job.owned then 'executing' when job.delay > 0 then 'scheduled' else 'available' end,
    job.queue, job.workflow, advanced.workflow_version, job.step, job.priority, job.max_attempts,
    now() + job.delay * interval '1 millisecond', case when job.owned then 1 else 0 end,
    case when job.owned then now() end, case when job.owned then $1::text::bigint end,
    job.tags::text[], job.metadata::jsonb, job.args::jsonb
  from unnest($26::uuid[], $27::bigint[], $28::text[], $29::text[], $30::text[], $31::text[], $32::int[], $33::int[],
      $34::float8[], $35::boolean[], $36::text[], $37::text[], $38::text[])
    as job (instance_id, id, kind, queue, workflow, step, priority, max_attempts, delay, owned, tags, metadata, args)
  join advanced on advanced.id = job.instance_id
),
woken as (
  insert into ${t.jobs} (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
  select advanced.id, 'advance', 'available', wake.queue, wake.workflow, advanced.workflow_version, advanced.id
  from unnest($39::uuid[], $40::text[], $41::text[]) as wake (instance_id, queue, workflow)
  join advanced on advanced.id = wake.instance_id
  order by advanced.id
  ${keepWaiting}
)
select coalesce(string_agg(advanced.id::text, ','), '') as written,
  case when $42::text <> '' then pg_notify('${channels.jobs}', $42::text) end as woke,
  case when $43::text <> '' then pg_notify('${channels.ended}', $43::text) end as told
from advanced`;
}

/**
 * Deduplicates against a waiting advance by locking its row, which `do nothing` would not: a claim that has already
 * skipped past our uncommitted result cannot happen then. Writes nothing.
 */
export const keepWaiting = `on conflict (unique_key) where kind = 'advance' and state = 'available'
  do update set state = excluded.state where false`;

interface Of<T> {
  readonly turn: Turn;
  readonly row: T;
}

function each<T>(turns: readonly Turn[], rows: (turn: Turn) => readonly T[]): readonly Of<T>[] {
  const all: Of<T>[] = [];
  for (const turn of turns) for (const row of rows(turn)) all.push({ turn, row });
  return all;
}

const instance = ({ turn }: Of<unknown>) => turn.instance;

/** Writes turns, each fenced by its revision, all of them by the process row. Returns the instances that were written. */
export async function commit(
  tx: Pick<Tx, "query">,
  statement: string,
  process: string,
  turns: readonly Turn[],
): Promise<ReadonlySet<string>> {
  const [row] = await tx.query<{ written: string }>(statement, commitParameters(process, turns));
  return new Set(row?.written ? row.written.split(",") : []);
}

/** The parameters of {@linkcode commitStatement}, sorted so that two batches lock instances in one order. */
export function commitParameters(process: string, unsorted: readonly Turn[]): readonly string[] {
  const turns = [...unsorted].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  const started = turns.flatMap((turn) => turn.started);
  return [
    process,
    ...columns(
      turns,
      (turn) => turn.instance,
      (turn) => turn.revision,
      (turn) => turn.status,
      (turn) => turn.control,
      (turn) => turn.metadata,
      (turn) => turn.error,
    ),
    ...recorded(each(turns, (turn) => turn.recorded)),
    ...processed(each(turns, (turn) => turn.processed)),
    ...columns(each(turns, (turn) => turn.settled), instance, ({ row }) => row),
    ...columns(each(turns, (turn) => turn.resolved), instance, ({ row }) => row),
    ...columns(started, (job) => job.instance, ...jobColumns),
    ...columns(
      each(turns, (turn) => (turn.wake ? [turn.wake] : [])),
      instance,
      ({ row }) => row.queue,
      ({ row }) => row.workflow,
    ),
    queuesToWake(turns, started),
    endedPayload(turns.filter(({ status }) => isFinal(status)).map((turn) => turn.instance)),
  ];
}

/** The columns of a new job, in the order in which the statements unnest them. */
export const jobColumns: readonly ((job: NewJob) => string | number | boolean | undefined)[] = [
  (job) => job.id,
  (job) => job.kind,
  (job) => job.queue,
  (job) => job.workflow,
  (job) => job.step,
  (job) => job.priority,
  (job) => job.maxAttempts,
  (job) => job.delay,
  (job) => job.owned,
  (job) => (job.tags.length > 0 ? columns(job.tags, (tag) => tag)[0] : undefined),
  (job) => job.metadata,
  (job) => job.args,
];

/** The queues that get work which another process may claim, as the payload of a notification. */
export function queuesToWake(
  turns: readonly Pick<Turn, "wake">[],
  started: readonly NewJob[],
): string {
  const queues = new Set<string>();
  for (const { wake } of turns) if (wake) queues.add(wake.queue);
  for (const job of started) if (!job.owned && job.delay <= 0) queues.add(job.queue);
  return wakePayload(queues);
}

/** Queue names as the payload of a notification: they may contain commas. */
export function wakePayload(queues: Iterable<string>): string {
  return [...new Set(queues)].sort().map(encodeURIComponent).join(",");
}

// A payload must stay below 8,000 bytes, and an id takes 37.
const mostIds = 200;

/** Ids of instances that have ended as the payload of a notification: "*" when they are too many to be named. */
export function endedPayload(instances: readonly string[]): string {
  return instances.length > mostIds ? "*" : instances.join(",");
}

function recorded(results: readonly Of<AppliedResult>[]): readonly string[] {
  return columns(
    results,
    instance,
    ({ row }) => row.step,
    ({ row }) => row.activation,
    ({ row }) => row.event,
    ({ row }) => row.output,
    ({ row }) => row.metadata,
    ({ row }) => row.attempt,
    ({ row }) => row.errors,
    ({ row }) => row.duration,
    ({ row }) => row.causes.join(","),
  );
}

function processed(results: readonly Of<Processed>[]): readonly string[] {
  return columns(
    results,
    instance,
    ({ row }) => row.step,
    ({ row }) => row.activation,
    ({ row }) => row.causes?.join(","),
  );
}
