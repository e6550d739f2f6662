import type { Queryable } from "../driver/contract.ts";
import { decodeControl } from "../../core/engine/control.ts";
import { decode, type JsonObject } from "../../core/value/json.ts";
import { FAILED } from "../../core/engine/engine.ts";
import type { InstanceStatus } from "../../core/engine/instance.ts";
import type {
  Discard,
  EndResult,
  InstanceEnd,
  InstanceState,
  StepOutput,
  UnreadResult,
} from "../../backend/store.ts";
import { date, epoch, held } from "../sql/fragments.ts";
import { columns, texts } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";

interface KnownRow {
  readonly id: string;
  readonly workflow: string;
  readonly workflow_version: string;
  readonly graph: string | null;
  readonly key: string;
  readonly revision: string;
  readonly status: InstanceStatus;
  readonly control: string;
  readonly metadata: string;
  readonly tags: string;
  readonly input: string | null;
  readonly inserted_at: string;
}

const knownColumns =
  `id::text, workflow, workflow_version::text, graph::text, key, revision::text, status, control::text,
       metadata::text, to_json(tags)::text as tags, input::text, ${
    epoch("inserted_at")
  } as inserted_at`;

function knownOf(row: KnownRow): InstanceState {
  return {
    id: row.id,
    workflow: row.workflow,
    version: Number(row.workflow_version),
    graph: row.graph ?? undefined,
    key: row.key,
    revision: Number(row.revision),
    status: row.status,
    control: decodeControl(row.control),
    metadata: decode(row.metadata) as JsonObject,
    tags: decode(row.tags) as readonly string[],
    input: row.input === null ? undefined : decode(row.input),
    insertedAt: date(row.inserted_at),
  };
}

/** Reads what an advance needs of instances. */
export async function read(
  on: Queryable,
  t: Tables,
  ids: readonly string[],
): Promise<readonly InstanceState[]> {
  const rows = await on.query<KnownRow>(
    `select ${knownColumns}
     from ${t.instances}
     where id = any ($1::uuid[])`,
    [texts(ids)],
  );
  return rows.map(knownOf);
}

/** Reads the results that no advance has read. */
export async function unprocessed(
  on: Queryable,
  t: Tables,
  ids: readonly string[],
): Promise<readonly UnreadResult[]> {
  const rows = await on.query<{
    readonly instance_id: string;
    readonly workflow_version: string;
    readonly step_ref: string;
    readonly activation: string;
    readonly event: string;
    readonly metadata_updates: string | null;
    readonly context_updates: string | null;
  }>(
    `select instance_id::text, workflow_version::text, step_ref, activation::text, event, metadata_updates::text,
       context_updates::text
     from ${t.results}
     where instance_id = any ($1::uuid[]) and not processed`,
    [texts(ids)],
  );
  return rows.map((row) => ({
    instance: row.instance_id,
    version: Number(row.workflow_version),
    step: row.step_ref,
    activation: Number(row.activation),
    event: row.event,
    metadata: row.metadata_updates === null
      ? undefined
      : decode(row.metadata_updates) as JsonObject,
    output: row.context_updates === null ? undefined : decode(row.context_updates),
  }));
}

/** How steps of an instance ended: the newest activation of each. */
export async function ended(
  on: Queryable,
  t: Tables,
  instance: string,
  steps: readonly string[] | undefined,
): Promise<readonly StepOutput[]> {
  const rows = await on.query<{
    readonly step_ref: string;
    readonly event: string;
    readonly context_updates: string | null;
    readonly causes: string | null;
  }>(
    `select distinct on (step_ref) step_ref, event, context_updates::text, causes
     from ${t.results}
     where instance_id = $1::text::uuid
       and activation > 0
       and applied_revision is not null
       and ($2::text[] is null or step_ref = any ($2::text[]))
     order by step_ref, activation desc`,
    [instance, steps === undefined ? null : texts(steps)],
  );
  return rows.map((row) => ({
    step: row.step_ref,
    event: row.event,
    output: row.context_updates === null ? undefined : decode(row.context_updates),
    causes: row.causes ? row.causes.split(",") : [],
  }));
}

/** Rolls the transaction back: somebody else owns the job now. */
export class StaleLease extends Error {}

/**
 * Ends an instance. The lock and the look at its jobs are two statements: in one, the snapshot
 * would be older than the lock, and a job handed over in between would go on executing. Instance
 * first, jobs after: the lock order.
 */
export async function end(
  on: Queryable,
  t: Tables,
  channel: string,
  instance: string,
  decide: (known: InstanceState) => InstanceEnd | undefined,
  discard: Discard | undefined,
): Promise<EndResult> {
  const [row] = await on.query<KnownRow>(
    `select ${knownColumns}
     from ${t.instances}
     where id = $1::text::uuid
     for no key update`,
    [instance],
  );
  if (row === undefined && discard && (await read(on, t, [instance])).length > 0) {
    throw new Error("Cannot fail the instance: row-level security refuses to lock its row");
  }
  const ending = row && decide(knownOf(row));
  if (discard?.bare) return await endBarely(on, t, channel, row, ending, discard);
  if (discard && !(await settleDiscarded(on, t, discard))) throw new StaleLease();
  const first = row && ending && discard ? await recordFailure(on, t, row, discard) : true;
  if (row === undefined || ending === undefined || !first) {
    if (discard) {
      await on.query(`delete from ${t.jobs} where id = $1::text::bigint`, [discard.lease.id]);
    }
    return { kind: "kept", status: row?.status };
  }
  const at = await finish(on, t, instance, ending);
  await on.query(
    `update ${t.jobs}
     set state = 'cancelled', finished_at = now(), process_id = null
     where instance_id = $1::text::uuid
       and kind <> 'advance'
       and state not in ('discarded', 'cancelled')`,
    [instance],
  );
  if (ending.ignored.length > 0) {
    await on.query(
      `update ${t.results}
       set processed = true
       where instance_id = $1::text::uuid and step_ref = any ($2::text[]) and not processed`,
      [instance, texts(ending.ignored)],
    );
  }
  await on.query(`select pg_notify('${channel}', $1)`, [instance]);
  return { kind: "ended", status: ending.status, at };
}

/**
 * Ends an instance where the database refuses what is told of it: nothing but the instance itself
 * is written.
 */
async function endBarely(
  on: Queryable,
  t: Tables,
  channel: string,
  instance: KnownRow | undefined,
  ending: InstanceEnd | undefined,
  { lease, step, activation }: Discard,
): Promise<EndResult> {
  const own = await on.query(
    `delete from ${t.jobs} as job
     where job.id = $1::text::bigint and ${held("$2::text::bigint", "$3::text::int")}
     returning job.id::text`,
    [lease.id, lease.process, String(lease.token)],
  );
  if (own.length === 0) throw new StaleLease();
  if (instance === undefined || ending === undefined) {
    return { kind: "kept", status: instance?.status };
  }
  const { id } = instance;
  const [result] = await on.query(
    `select from ${t.results}
     where instance_id = $1::text::uuid and step_ref = $2 and activation = $3::text::int`,
    [id, step, String(activation)],
  );
  if (result !== undefined) return { kind: "kept", status: instance.status };
  const at = await finish(on, t, id, ending);
  await on.query(
    `delete from ${t.jobs} where instance_id = $1::text::uuid and kind <> 'advance'`,
    [id],
  );
  await on.query(`select pg_notify('${channel}', $1)`, [id]);
  return { kind: "ended", status: ending.status, at };
}

async function finish(
  on: Queryable,
  t: Tables,
  instance: string,
  { status, control, error }: InstanceEnd,
): Promise<Date> {
  const [row] = await on.query<{ readonly at: string }>(
    `update ${t.instances}
     set revision = revision + 1, status = $2, control = $3::text::jsonb, error = $4::text::jsonb,
       updated_at = now(), finished_at = now()
     where id = $1::text::uuid
     returning ${epoch("finished_at")} as at`,
    [instance, status, control, JSON.stringify(error)],
  );
  if (row === undefined) throw new Error("Cannot end the instance: its row refuses to be written");
  return date(row.at);
}

async function settleDiscarded(
  on: Queryable,
  t: Tables,
  { lease, errors }: Discard,
): Promise<boolean> {
  const rows = await on.query(
    `update ${t.jobs} as job
     set state = 'discarded', finished_at = now(), process_id = null, errors = $4::text::jsonb
     where job.id = $1::text::bigint and ${held("$2::text::bigint", "$3::text::int")}
     returning job.id::text`,
    [lease.id, lease.process, String(lease.token), JSON.stringify(errors)],
  );
  return rows.length > 0;
}

async function recordFailure(
  on: Queryable,
  t: Tables,
  row: KnownRow,
  discard: Discard,
): Promise<boolean> {
  const rows = await on.query(
    `insert into ${t.results} (instance_id, step_ref, activation, event, attempt, errors, started_at, process_id,
       processed, applied_revision, workflow_version)
     select $1::text::uuid, step, activation, '${FAILED}', attempt, errors::jsonb,
       now() - duration * interval '1 millisecond', $2::text::bigint, true, $3::text::int + 1, $4::text::int
     from unnest($5::text[], $6::int[], $7::int[], $8::text[], $9::float8[])
       as failed (step, activation, attempt, errors, duration)
     on conflict do nothing
     returning step_ref`,
    [
      row.id,
      discard.lease.process,
      row.revision,
      row.workflow_version,
      ...columns(
        [discard],
        ({ step }) => step,
        ({ activation }) => activation,
        ({ attempt }) => attempt,
        ({ errors }) => JSON.stringify(errors),
        ({ duration }) => duration,
      ),
    ],
  );
  return rows.length > 0;
}
