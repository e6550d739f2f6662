import type { InstanceState } from "../../backend/store.ts";
import type { MovingInstance } from "../../core/deploy/move.ts";
import type { AppliedResult } from "../../core/deploy/replay.ts";
import { encodeControl } from "../../core/engine/control.ts";
import type { Control } from "../../core/engine/instance.ts";
import { decode, type JsonObject } from "../../core/value/json.ts";
import type { Queryable } from "../driver/contract.ts";
import { texts } from "../sql/arrays.ts";
import { wakePayload } from "../notifications.ts";
import { isLive } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";
import { lock } from "./read.ts";
import { lockClass } from "./record.ts";

/** An instance that nobody else can write, with all that its next version must understand. */
export interface LockedInstance extends MovingInstance {
  readonly state: InstanceState;
  /** The job that a process has, if there is one: its step, or its kind. */
  readonly executing: string | undefined;
  /** The queues of its jobs that are due or will be. */
  readonly queues: ReadonlySet<string>;
}

interface LockedJob {
  readonly kind: string;
  readonly state: string;
  readonly step: string | null;
  readonly queue: string;
  readonly event: string | null;
  readonly delivers: string;
}

/**
 * Locks an instance and its jobs, and reads it. Each statement sees what the ones before have
 * waited for. Deliveries hold a lock of their own. A waiting advance is locked last, because a
 * result may be about to lock it. Outputs are read of the `checked` steps only.
 */
export async function lockToMove(
  on: Queryable,
  t: Tables,
  instance: string,
  checked: readonly string[],
): Promise<LockedInstance | undefined> {
  const state = await lock(on, t, instance, "for update");
  if (state === undefined) return undefined;
  await on.query(
    `select pg_advisory_xact_lock(${lockClass}, hashtext($1::text::uuid::text)) as moving`,
    [instance],
  );
  const jobs = [];
  for (const waiting of ["not", ""]) {
    jobs.push(
      ...await on.query<LockedJob>(
        `select kind, state, coalesce(args ->> 'step', step) as step, queue, args ->> 'event' as event,
         coalesce(jsonb_exists_all(args, '{delivery,event}'), false)::text as delivers
       from ${t.jobs} as job
       where instance_id = $1::text::uuid and ${isLive("job")}
         and ${waiting} (kind = 'advance' and state = 'available')
       order by id
       for update`,
        [instance],
      ),
    );
  }
  const executing = jobs.find((job) => job.state === "executing");
  return {
    state,
    control: state.control,
    ...await resultsOf(on, t, instance, state.version, checked),
    scheduled: jobs.filter(({ delivers }) => delivers === "true")
      .map(({ step, event }) => ({ step: step ?? "", event: event ?? "" })),
    executing: executing && (executing.step ?? executing.kind),
    queues: new Set(jobs.map(({ queue }) => queue)),
  };
}

async function resultsOf(
  on: Queryable,
  t: Tables,
  instance: string,
  version: number,
  checked: readonly string[],
): Promise<Pick<MovingInstance, "history" | "unread">> {
  const rows = await on.query<{
    readonly step: string;
    readonly activation: string;
    readonly event: string;
    readonly causes: string | null;
    readonly metadata: string | null;
    readonly revision: string | null;
    readonly output: string | null;
    readonly unread: string;
  }>(
    `select step_ref as step, activation::text, event, causes, metadata_updates::text as metadata,
       applied_revision::text as revision,
       case when step_ref = any ($3::text[]) then context_updates::text end as output,
       (not processed and workflow_version = $2::text::int)::text as unread
     from ${t.results}
     where instance_id = $1::text::uuid
     order by applied_revision, inserted_at`,
    [instance, String(version), texts(checked)],
  );
  const history: AppliedResult[] = [];
  for (const { step, activation, event, causes, metadata, revision, output } of rows) {
    if (revision === null) continue;
    history.push({
      step,
      activation: Number(activation),
      event,
      output: output === null ? undefined : decode(output),
      metadata: metadata === null ? undefined : decode(metadata) as JsonObject,
      causes: causes ? causes.split(",") : [],
      revision: Number(revision),
    });
  }
  return {
    history,
    unread: rows.filter(({ unread }) => unread === "true")
      .map(({ step, activation, event }) => ({
        step,
        activation: Number(activation),
        event,
      })),
  };
}

/** What an instance has on its next version. */
export interface NextVersion {
  readonly version: number;
  readonly fingerprint: string;
  readonly control: Control;
  readonly uniqueKey: string | undefined;
}

/** Writes the next version of a locked instance, in its row, its jobs and its unread results. */
export async function writeMove(
  on: Queryable,
  t: Tables,
  channel: string,
  { state: { id, revision, version }, queues }: LockedInstance,
  next: NextVersion,
): Promise<boolean> {
  const [row] = await on.query<{ readonly moved: string }>(
    `with moved as (
       update ${t.instances} as instance
       set revision = instance.revision + 1, workflow_version = $3::text::int, graph = $4::text::bigint,
         control = $5::text::jsonb, unique_key = $6::text, updated_at = now()
       where id = $1::text::uuid and revision = $2::text::int
       returning id
     ),
     jobs as (
       update ${t.jobs} as job
       set workflow_version = $3::text::int
       from moved
       where job.instance_id = moved.id and ${isLive("job")}
     ),
     unread as (
       update ${t.results} as result
       set workflow_version = $3::text::int
       from moved
       where result.instance_id = moved.id and not result.processed
         and result.workflow_version = $7::text::int
     )
     select count(*)::text as moved, pg_notify('${channel}', $8::text) as notified from moved`,
    [
      id,
      String(revision),
      String(next.version),
      next.fingerprint,
      encodeControl(next.control),
      next.uniqueKey ?? null,
      String(version),
      wakePayload(queues),
    ],
  );
  return row?.moved === "1";
}

/** The open instances of a version whose keys are among these, oldest first. */
export async function openOf(
  on: Queryable,
  t: Tables,
  workflow: string,
  version: number,
  keys: readonly string[] | undefined,
  limit: number | undefined,
): Promise<readonly { readonly id: string; readonly key: string }[]> {
  return await on.query<{ readonly id: string; readonly key: string }>(
    `select id::text, key
     from ${t.instances}
     where finished_at is null and workflow = $1 and workflow_version = $2::text::int
       and ($3::text is null or key in (select jsonb_array_elements_text($3::text::jsonb)))
     order by inserted_at, id
     limit $4::text::bigint`,
    [
      workflow,
      String(version),
      keys === undefined ? null : JSON.stringify(keys),
      limit === undefined ? null : String(limit),
    ],
  );
}

/** The graphs that open instances of a version may have started with, by fingerprint. */
export async function graphsOf(
  on: Queryable,
  t: Tables,
  workflow: string,
  version: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await on.query<{ readonly fingerprint: string; readonly graph: string }>(
    `select fingerprint::text, graph::text
     from ${t.graphs}
     where workflow = $1 and workflow_version = $2::text::int`,
    [workflow, String(version)],
  );
  return new Map(rows.map(({ fingerprint, graph }) => [fingerprint, graph]));
}
