import type { JobId } from "../../backend/job.ts";
import type { Delivered } from "../../backend/store.ts";
import type { NewDelivery, Pass, Recording } from "../../backend/turn.ts";
import { type InstanceStatus, isFinal } from "../../core/engine/instance.ts";
import { DROPPED } from "../../core/engine/progress.ts";
import type { Tx } from "../driver/contract.ts";
import { sqlState } from "../driver/errors.ts";
import { wakeAdvances } from "../jobs/wake.ts";
import { wakePayload } from "../notifications.ts";
import { columns, texts } from "../sql/arrays.ts";
import { awaitedActivation, held, isActive, isActiveStatus } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";
import { insertResults } from "./results.ts";

/** Inserts many results, ends their jobs and wakes their advances. */
export function recordStatement(t: Tables, channel: string): string {
  return `
with given as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::uuid[], $5::int[], $6::text[], $7::int[], $8::text[],
      $9::text[], $10::text[], $11::int[], $12::text[], $13::float8[], $14::text[], $15::text[], $17::boolean[])
    as given (job_id, process_id, token, instance_id, version, step, activation, event,
      output, metadata, attempt, errors, duration, queue, workflow, waits)
),
settled as (
  delete from ${t.jobs} as job
  using given
  where job.id = given.job_id
    and ${held("given.process_id", "given.token")}
  returning job.id, job.token
),
recorded as (${
    insertResults(t, {
      instance: "given.instance_id",
      version: "given.version",
      of: "given",
      process: "given.process_id",
      from: `from given
  join settled on settled.id = given.job_id and settled.token = given.token
  order by given.instance_id, given.step, given.job_id
  on conflict do nothing
  returning instance_id, step_ref, activation, waits`,
    })
  }),
woken as (${
    wakeAdvances(
      t,
      `select distinct on (instance_id) instance_id, queue, workflow, version, instance_id
    from given
    where instance_id in (select instance_id from recorded)
    order by instance_id`,
    )
  })
select coalesce(string_agg(standing.id::text, ','), '') as standing,
  pg_notify('${channel}', $16::text) as notified
from (
  select distinct on (recorded.instance_id, recorded.step_ref, recorded.activation, recorded.waits) settled.id
  from recorded
  join given on given.instance_id = recorded.instance_id
    and given.step = recorded.step_ref
    and given.activation = recorded.activation
    and given.waits = recorded.waits
  join settled on settled.id = given.job_id and settled.token = given.token
  order by recorded.instance_id, recorded.step_ref, recorded.activation, recorded.waits, settled.id
) as standing`;
}

/** Writes results whose lease is valid. Returns the jobs whose results were kept. */
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
    ...columns(sorted, (result) => result.waits),
  ]);
  return new Set(row?.standing ? row.standing.split(",") : []);
}

/**
 * Ends jobs that found nothing to write, and marks the results they found as read. Without a lease
 * nothing is marked: the instance may have been reopened since.
 */
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
       returning job.instance_id
     )
     update ${t.results} as result
     set processed = true
     from unnest($4::uuid[], $5::text[], $6::int[], $7::boolean[]) as late (instance_id, step, activation, waits)
     where result.instance_id = late.instance_id
       and result.step_ref = late.step
       and result.activation = late.activation
       and result.waits = late.waits
       and late.instance_id in (select instance_id from settled)
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
        ({ row }) => row.waits,
      ),
    ],
  );
}

/**
 * Class of the advisory locks on instances. Deliveries share them; the delete trigger and a move to
 * another version take them exclusively.
 */
export const lockClass = 0x48455032;

/** The same delivery, sent again in a later round, is still for the round of its first attempt. */
function deliverStatement(t: Tables, channel: string): string {
  return `
with held as materialized (
  select pg_advisory_xact_lock_shared(${lockClass}, hashtext($1::text))
),
target as materialized (
  select id, status, workflow, workflow_version, nullif(graph, $11::text::bigint) as other_graph,
    activation, ${isActive("control", "$2::text", "activation")} as active,
    coalesce(jsonb_exists_any(control -> 'dropped', $13::text[]), false) as dropped,
    coalesce($3::text::int < awaited, false) as overdue, jsonb_exists(control, 'undo') as undoing
  from held
  cross join ${t.instances}
  cross join lateral (select ${
    awaitedActivation("control", "$2::text", "$12::text[]")
  } as awaited) as next
  cross join lateral (
    select coalesce(
      (select sent.activation from ${t.results} as sent
       where $12::text[] <> '{}' and sent.instance_id = $1::text::uuid and sent.step_ref = $2::text
         and sent.delivery_id = $7::text::uuid),
      $3::text::int,
      awaited
    ) as activation
  ) as meant
  where id = $1::text::uuid
),
given as materialized (
  select target.*, $2::text as step, $4::text as event, $5::text as output, $6::text as metadata
  from target
),
recorded as (${
    insertResults(t, {
      instance: "given.id",
      version: "given.workflow_version",
      of: "given",
      delivery: "$7::text::uuid",
      from: `from given
  where ${isActiveStatus("given.status")} and given.other_graph is null
    and not given.overdue and (given.active or not (given.dropped or given.undoing))
  on conflict do nothing
  returning instance_id`,
    })
  }),
woken as (${
    wakeAdvances(
      t,
      `select target.id, $8::text, target.workflow, target.workflow_version, $9::text::uuid
    from target
    join recorded on recorded.instance_id = target.id`,
    )
  })
select target.status, target.active::text as active, target.activation::text as activation,
  target.other_graph::text as other_graph, target.dropped::text as dropped, target.overdue::text as overdue,
  target.undoing::text as undoing, (select count(*) from recorded)::text as recorded,
  pg_notify('${channel}', $10::text) as notified
from target`;
}

interface DeliveredRow {
  readonly status: InstanceStatus;
  readonly active: string;
  readonly activation: string;
  readonly other_graph: string | null;
  readonly dropped: string;
  readonly overdue: string;
  readonly undoing: string;
  readonly recorded: string;
}

/**
 * Writes a delivery and wakes the advance. It shares a lock on the instance with other deliveries,
 * so that a delete of the instance happens either before or after it. `keyed` is false in a
 * caller's transaction: with a unique key, every other wake-up of this instance would wait for the
 * caller's commit.
 */
export async function deliver(
  tx: Pick<Tx, "query">,
  t: Tables,
  channel: string,
  delivery: NewDelivery,
  keyed: boolean,
): Promise<Delivered> {
  const { instance, step } = delivery;
  const send = () =>
    tx.query<DeliveredRow>(deliverStatement(t, channel), [
      instance,
      step,
      delivery.activation === undefined ? null : String(delivery.activation),
      delivery.event,
      delivery.output ?? null,
      delivery.metadata ?? null,
      delivery.id,
      delivery.wake.queue,
      keyed ? instance : null,
      wakePayload([delivery.wake.queue]),
      delivery.graph,
      texts(delivery.loops),
      texts(delivery.branches),
    ]);
  const [target] = await send().catch((error) => {
    if (sqlState(error) !== "23503") throw error;
    // During the wait for the lock, the instance was deleted or moved to another version. The
    // transaction of a caller has failed with that, and can find out nothing more.
    return keyed ? send() : [];
  });
  if (target === undefined) return { kind: "missing" };
  const met = { kind: target.active === "true" ? "accepted" : "early" } as const;
  if (target.recorded === "1") return met;
  const [first] = await tx.query<
    { event: string; delivery_id: string | null; causes: string | null }
  >(
    `select event, delivery_id::text, causes
     from ${t.results}
     where instance_id = $1::text::uuid and step_ref = $2 and activation = $3::text::int and not waits`,
    [instance, step, target.activation],
  );
  if (first?.delivery_id === delivery.id) return first.causes === null ? met : { kind: "accepted" };
  const applied = first !== undefined && first.causes !== null;
  if (isFinal(target.status) && !applied) return { kind: "final", status: target.status };
  if (target.other_graph !== null) return { kind: "changed", graph: target.other_graph };
  if (first === undefined && target.overdue === "true") return { kind: "duplicate" };
  if (first === undefined && target.undoing === "true") return { kind: "undoing" };
  if (first === undefined && target.dropped === "true") return { kind: "over", event: DROPPED };
  if (first === undefined) return deliver(tx, t, channel, delivery, keyed);
  return first.delivery_id === null ? { kind: "over", event: first.event } : { kind: "duplicate" };
}
