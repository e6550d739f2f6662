import type { Forking, InstanceState, Reopened } from "../../backend/store.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import type { Queryable } from "../driver/contract.ts";
import type { Channels } from "../notifications.ts";
import { columns } from "../sql/arrays.ts";
import type { Tables } from "../sql/tables.ts";
import { history } from "./list.ts";
import { open } from "./open.ts";
import { lock, read } from "./read.ts";
import { holder } from "./reopen.ts";

/**
 * Inserts an instance with results of another one. Nobody sees it before it has them: all this is
 * one transaction.
 */
export async function fork(
  on: Queryable,
  t: Tables,
  channels: Channels,
  source: string,
  forking: (state: InstanceState, history: readonly HistoryEntry[]) => Forking | undefined,
): Promise<Reopened> {
  const state = await lock(on, t, source);
  const next = state && forking(state, await history(on, t, source));
  if (next === undefined) return { kind: "kept", status: state?.status };
  const { instance, copied, revision } = next;
  // The answer of an earlier attempt was lost.
  const [there] = await read(on, t, [instance.id]);
  if (there !== undefined) return { kind: "written", at: there.insertedAt };
  const at = (await open(on, t, channels.jobs, undefined, [instance])).get(instance.id);
  if (at === undefined) return { kind: "taken", by: await holder(on, t, instance.uniqueKey) };
  await on.query(forkStatement(t), [
    source,
    instance.id,
    String(revision),
    ...columns(
      copied,
      (row) => row.step,
      (row) => row.activation,
      (row) => row.waits,
      (row) => row.revision,
    ),
  ]);
  return { kind: "written", at };
}

/** What was inserted with the instance has been inserted under revision 1. */
function forkStatement(t: Tables): string {
  return `
with numbered as (
  update ${t.results}
  set applied_revision = $3::text::int
  where instance_id = $2::text::uuid
),
copied as (
  insert into ${t.results} (instance_id, step_ref, activation, waits, event, context_updates, metadata_updates,
    workflow_version, attempt, errors, started_at, process_id, inserted_at, causes, processed, applied_revision)
  select $2::text::uuid, result.step_ref, result.activation, result.waits, result.event, result.context_updates,
    result.metadata_updates, result.workflow_version, result.attempt, result.errors, result.started_at, result.process_id,
    result.inserted_at, result.causes, true, given.revision
  from unnest($4::text[], $5::int[], $6::boolean[], $7::int[]) as given (step, activation, waits, revision)
  join ${t.results} as result
    on result.instance_id = $1::text::uuid and result.step_ref = given.step
      and result.activation = given.activation and result.waits = given.waits
)
update ${t.instances}
set revision = $3::text::int
where id = $2::text::uuid`;
}
