import type { NewInstance } from "../store/store.ts";
import { columns } from "./arrays.ts";
import { jobColumns, queuesToWake } from "./commit.ts";
import type { Tx } from "./db.ts";
import type { Tables } from "./tables.ts";

function openStatement(t: Tables, channel: string): string {
  return `
with me as materialized (
  select id from ${t.processes} where id = $1::text::bigint for key share
),
opened as (
  insert into ${t.instances} (id, workflow, workflow_version, key, unique_key, status, control, tags, metadata, error,
    input, finished_at)
  select instance.id, instance.workflow, instance.version, instance.key, instance.unique_key, instance.status,
    instance.control::jsonb, instance.tags::text[], instance.metadata::jsonb, instance.error::jsonb,
    instance.input::jsonb, case when instance.status in ('completed', 'failed', 'cancelled') then now() end
  from unnest($2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::text[], $12::text[])
    as instance (id, workflow, version, key, unique_key, status, control, tags, metadata, error, input)
  on conflict do nothing
  returning id, workflow_version
),
recorded as (
  insert into ${t.results} (instance_id, step_ref, activation, event, context_updates, metadata_updates, causes,
    inserted_at, processed, applied_revision, workflow_version)
  select opened.id, result.step, result.activation, result.event, result.output::jsonb, result.metadata::jsonb,
    string_to_array(result.causes, ','), now() + result.place * interval '1 microsecond', true, 1, opened.workflow_version
  from unnest($13::uuid[], $14::text[], $15::int[], $16::text[], $17::text[], $18::text[], $19::text[])
      with ordinality as result (instance_id, step, activation, event, output, metadata, causes, place)
  join opened on opened.id = result.instance_id
),
started as (
  insert into ${t.jobs} (id, instance_id, kind, state, queue, workflow, workflow_version, step, priority,
    max_attempts, scheduled_at, attempt, attempted_at, process_id, tags, metadata, args)
  select job.id, opened.id, job.kind,
    case when job.owned and exists (select from me) then 'executing'
      when job.delay > 0 then 'scheduled' else 'available' end,
    job.queue, job.workflow, opened.workflow_version, job.step, job.priority, job.max_attempts,
    now() + job.delay * interval '1 millisecond',
    case when job.owned and exists (select from me) then 1 else 0 end,
    case when job.owned and exists (select from me) then now() end,
    case when job.owned then (select id from me) end,
    job.tags::text[], job.metadata::jsonb, job.args::jsonb
  from unnest($20::uuid[], $21::bigint[], $22::text[], $23::text[], $24::text[], $25::text[], $26::int[], $27::int[],
      $28::float8[], $29::boolean[], $30::text[], $31::text[], $32::text[])
    as job (instance_id, id, kind, queue, workflow, step, priority, max_attempts, delay, owned, tags, metadata, args)
  join opened on opened.id = job.instance_id
)
select coalesce(string_agg(opened.id::text, ','), '') as opened,
  case when $33::text <> '' then pg_notify('${channel}', $33::text) end as notified
from opened`;
}

/** Inserts instances with their first jobs; the unique index decides who wins a key. Returns the ids that are there. */
export async function open(
  tx: Pick<Tx, "query">,
  t: Tables,
  channel: string,
  process: string | undefined,
  unsorted: readonly NewInstance[],
): Promise<ReadonlySet<string>> {
  // In the order of the unique keys: two batches that share keys wait for each other in one direction only.
  const instances = [...unsorted].sort((
    a,
    b,
  ) => ((a.uniqueKey ?? a.id) < (b.uniqueKey ?? b.id) ? -1 : 1));
  const started = instances.flatMap((instance) => instance.started);
  const recorded = instances.flatMap(({ id, recorded }) =>
    recorded.map((result) => ({ id, result }))
  );
  const parameters = [
    process ?? null,
    ...columns(
      instances,
      (instance) => instance.id,
      (instance) => instance.workflow,
      (instance) => instance.version,
      (instance) => instance.key,
      (instance) => instance.uniqueKey,
      (instance) => instance.status,
      (instance) => instance.control,
      (instance) => columns(instance.tags, (tag) => tag)[0],
      (instance) => instance.metadata,
      (instance) => instance.error,
      (instance) => instance.input,
    ),
    ...columns(
      recorded,
      ({ id }) => id,
      ({ result }) => result.step,
      ({ result }) => result.activation,
      ({ result }) => result.event,
      ({ result }) => result.output,
      ({ result }) => result.metadata,
      ({ result }) => result.causes.join(","),
    ),
    ...columns(started, (job) => job.instance, ...jobColumns),
    queuesToWake([], started),
  ];
  const [row] = await tx.query<{ opened: string }>(openStatement(t, channel), parameters);
  const opened = new Set(row?.opened ? row.opened.split(",") : []);
  const missing = instances.filter(({ id }) => !opened.has(id));
  if (missing.length === 0) return opened;
  const there = await tx.query<{ id: string }>(
    `select id::text from ${t.instances} where id = any ($1::uuid[])`,
    columns(missing, ({ id }) => id),
  );
  for (const { id } of there) opened.add(id);
  return opened;
}
