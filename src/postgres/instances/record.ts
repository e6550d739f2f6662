import type { JobId } from "../../backend/job.ts";
import type { Delivered } from "../../backend/store.ts";
import type { NewDelivery, Pass, Recording } from "../../backend/turn.ts";
import { sqlState } from "../driver/errors.ts";
import { held } from "../sql/fragments.ts";
import { columns } from "../sql/arrays.ts";
import { keepWaiting } from "./commit.ts";
import { wakePayload } from "../notifications.ts";
import type { Tx } from "../driver/contract.ts";
import type { Tables } from "../sql/tables.ts";

/** A result, its job and the wake-up of its advance, for many results at once. */
export function recordStatement(t: Tables, channel: string): string {
  return `
with given as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::uuid[], $5::int[], $6::text[], $7::int[], $8::text[],
      $9::text[], $10::text[], $11::int[], $12::text[], $13::float8[], $14::text[], $15::text[])
    as given (job_id, process_id, token, instance_id, version, step, activation, event,
      output, metadata, attempt, errors, duration, queue, workflow)
),
settled as (
  delete from ${t.jobs} as job
  using given
  where job.id = given.job_id
    and ${held("given.process_id", "given.token")}
  returning job.id, job.token
),
recorded as (
  insert into ${t.results} (instance_id, step_ref, activation, event, context_updates, metadata_updates, attempt,
    errors, started_at, process_id, workflow_version)
  select given.instance_id, given.step, given.activation, given.event, given.output::jsonb, given.metadata::jsonb,
    given.attempt, given.errors::jsonb, now() - given.duration * interval '1 millisecond', given.process_id,
    given.version
  from given
  join settled on settled.id = given.job_id and settled.token = given.token
  order by given.instance_id, given.step, given.job_id
  on conflict do nothing
  returning instance_id, step_ref, activation
),
woken as (
  insert into ${t.jobs} (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
  select distinct on (given.instance_id)
    given.instance_id, 'advance', 'available', given.queue, given.workflow, given.version, given.instance_id
  from given
  where given.instance_id in (select instance_id from recorded)
  order by given.instance_id
  ${keepWaiting}
)
select coalesce(string_agg(standing.id::text, ','), '') as standing,
  pg_notify('${channel}', $16::text) as notified
from (
  select distinct on (recorded.instance_id, recorded.step_ref, recorded.activation) settled.id
  from recorded
  join given on given.instance_id = recorded.instance_id
    and given.step = recorded.step_ref
    and given.activation = recorded.activation
  join settled on settled.id = given.job_id and settled.token = given.token
  order by recorded.instance_id, recorded.step_ref, recorded.activation, settled.id
) as standing`;
}

/** Writes results whose lease holds. Returns the jobs whose results stand. */
export async function record(
  tx: Pick<Tx, "query">,
  statement: string,
  recordings: readonly Recording[],
): Promise<ReadonlySet<JobId>> {
  const sorted = [...recordings].sort((a, b) => Number(a.lease.id) - Number(b.lease.id));
  const [row] = await tx.query<{ standing: string }>(statement, [
    ...columns(
      sorted,
      ({ lease }) => lease.id,
      ({ lease }) => lease.process,
      ({ lease }) => lease.token,
      (result) => result.instance,
      (result) => result.version,
      (result) => result.step,
      (result) => result.activation,
      (result) => result.event,
      (result) => result.output,
      (result) => result.metadata,
      (result) => result.attempt,
      (result) => result.errors,
      (result) => result.duration,
      ({ wake }) => wake.queue,
      ({ wake }) => wake.workflow,
    ),
    wakePayload(sorted.map(({ wake }) => wake.queue)),
  ]);
  return new Set(row?.standing ? row.standing.split(",") : []);
}

/** Ends jobs that found nothing to write, and marks what they found as read. */
export async function pass(
  on: Pick<Tx, "query">,
  t: Tables,
  passes: readonly Pass[],
): Promise<void> {
  const ignored = passes.flatMap(({ instance, ignored }) =>
    ignored.map((row) => ({ instance, row }))
  );
  await on.query(
    `with settled as (
       delete from ${t.jobs} as job
       using unnest($1::bigint[], $2::bigint[], $3::int[]) as lease (id, process_id, token)
       where job.id = lease.id
         and ${held("lease.process_id", "lease.token")}
     )
     update ${t.results} as result
     set processed = true
     from unnest($4::uuid[], $5::text[], $6::int[]) as late (instance_id, step, activation)
     where result.instance_id = late.instance_id
       and result.step_ref = late.step
       and result.activation = late.activation
       and not result.processed`,
    [
      ...columns(
        passes,
        ({ lease }) => lease.id,
        ({ lease }) => lease.process,
        ({ lease }) => lease.token,
      ),
      ...columns(
        ignored,
        ({ instance }) => instance,
        ({ row }) => row.step,
        ({ row }) => row.activation,
      ),
    ],
  );
}

/** Of the advisory locks on instances: deliveries share them, and the trigger of deletes takes them. */
const lockClass = 0x48455032;

function deliverStatement(t: Tables, channel: string): string {
  return `
with held as materialized (
  select pg_advisory_xact_lock_shared(${lockClass}, hashtext($1::text))
),
target as materialized (
  select id, status, workflow, workflow_version, jsonb_exists(control -> 'active', $2) as active,
    nullif(graph, $11::text::bigint) as other_graph
  from held
  cross join ${t.instances}
  where id = $1::text::uuid
),
recorded as (
  insert into ${t.results} (instance_id, step_ref, activation, event, context_updates, metadata_updates, delivery_id,
    workflow_version)
  select target.id, $2::text, $3::text::int, $4::text, $5::text::jsonb, $6::text::jsonb, $7::text::uuid,
    target.workflow_version
  from target
  where target.status in ('pending', 'running', 'waiting') and target.other_graph is null
  on conflict do nothing
  returning instance_id
),
woken as (
  insert into ${t.jobs} (instance_id, kind, state, queue, workflow, workflow_version, unique_key)
  select target.id, 'advance', 'available', $8::text, target.workflow, target.workflow_version, $9::text::uuid
  from target
  join recorded on recorded.instance_id = target.id
  ${keepWaiting}
)
select target.status, target.active::text as active, target.other_graph::text as other_graph, (select count(*) from recorded)::text as recorded,
  pg_notify('${channel}', $10::text) as notified
from target`;
}

/**
 * Writes a delivery and wakes the advance. It shares a lock on the instance with other deliveries:
 * a delete of the instance comes before or after. `keyed` is false in a caller's transaction: a
 * wake-up with a unique key would make everybody who wakes this instance wait for the caller's
 * commit.
 */
export async function deliver(
  tx: Pick<Tx, "query">,
  t: Tables,
  channel: string,
  delivery: NewDelivery,
  keyed: boolean,
): Promise<Delivered> {
  const { instance, step, activation } = delivery;
  const [target] = await tx.query<
    { status: string; active: string; other_graph: string | null; recorded: string }
  >(
    deliverStatement(t, channel),
    [
      instance,
      step,
      String(activation),
      delivery.event,
      delivery.output ?? null,
      delivery.metadata ?? null,
      delivery.id,
      delivery.wake.queue,
      keyed ? instance : null,
      wakePayload([delivery.wake.queue]),
      delivery.graph,
    ],
  ).catch((error) => {
    // It was deleted while the lock was waited for.
    if (sqlState(error) === "23503") return [];
    throw error;
  });
  if (target === undefined) return { kind: "missing" };
  const met = { kind: target.active === "true" ? "accepted" : "early" } as const;
  if (target.recorded === "1") return met;
  const [first] = await tx.query<
    { event: string; delivery_id: string | null; causes: string | null }
  >(
    `select event, delivery_id::text, causes
     from ${t.results}
     where instance_id = $1::text::uuid and step_ref = $2 and activation = $3::text::int`,
    [instance, step, String(activation)],
  );
  if (first?.delivery_id === delivery.id) return first.causes === null ? met : { kind: "accepted" };
  const applied = first !== undefined && first.causes !== null;
  if (isFinalRow(target.status) && !applied) return { kind: "final", status: target.status };
  if (target.other_graph !== null) return { kind: "changed", graph: target.other_graph };
  if (first === undefined) return deliver(tx, t, channel, delivery, keyed);
  return first.delivery_id === null ? { kind: "over", event: first.event } : { kind: "duplicate" };
}

function isFinalRow(status: string): status is "completed" | "failed" | "cancelled" {
  return status === "completed" || status === "failed" || status === "cancelled";
}
