import type { InstanceState, Reopened, Reopening } from "../../backend/store.ts";
import { type HistoryEntry, isFinal } from "../../core/engine/instance.ts";
import type { Queryable } from "../driver/contract.ts";
import type { Channels } from "../notifications.ts";
import { columns } from "../sql/arrays.ts";
import { isActiveStatus, isLive } from "../sql/fragments.ts";
import type { Tables } from "../sql/tables.ts";
import { commit } from "./commit.ts";
import { history } from "./list.ts";
import { lock } from "./read.ts";

/**
 * Writes what a person does to an instance, which may make it active again. An advance that takes
 * it for final may be marking results as ignored. So its advances are locked before the history is
 * read, and are deleted with the turn: what they still say has no lease then.
 */
export async function reopen(
  on: Queryable,
  t: Tables,
  channels: Channels,
  instance: string,
  reopening: (state: InstanceState, history: readonly HistoryEntry[]) => Reopening | undefined,
): Promise<Reopened> {
  const state = await lock(on, t, instance);
  if (state === undefined) return { kind: "kept", status: undefined };
  const isOver = isFinal(state.status);
  if (isOver) {
    await on.query(
      `select from ${t.jobs}
     where instance_id = $1::text::uuid and kind = 'advance'
     order by id
     for update`,
      [instance],
    );
  }
  const next = reopening(state, await history(on, t, instance));
  if (next === undefined) return { kind: "kept", status: state.status };
  if (isOver) {
    const by = isFinal(next.turn.status) ? undefined : await holder(on, t, next.uniqueKey);
    if (by !== undefined) return { kind: "taken", by };
    await on.query(reopenStatement(t), [
      instance,
      next.uniqueKey ?? null,
      ...columns(next.unread, (row) => row.step, (row) => row.activation, (row) => row.waits),
    ]);
  }
  const at = (await commit(on, t, channels, undefined, [next.turn])).get(instance);
  if (at === undefined) throw new Error("Cannot change the instance: its row could not be written");
  return { kind: "written", at };
}

/** The active instance that has a unique key. */
export async function holder(
  on: Queryable,
  t: Tables,
  key: string | undefined,
): Promise<string | undefined> {
  if (key === undefined) return undefined;
  const [row] = await on.query<{ readonly id: string }>(
    `select id::text from ${t.instances} where unique_key = $1 and ${isActiveStatus("status")}`,
    [key],
  );
  return row?.id;
}

function reopenStatement(t: Tables): string {
  const isDelivery =
    `job.kind <> 'advance' and coalesce(jsonb_exists(job.args, 'delivery'), false)`;
  return `
with reopened as (
  update ${t.instances}
  set error = null, unique_key = coalesce($2::text, unique_key)
  where id = $1::text::uuid
),
unread as (
  update ${t.results} as result
  set processed = false
  from unnest($3::text[], $4::int[], $5::boolean[]) as given (step, activation, waits)
  where result.instance_id = $1::text::uuid and result.step_ref = given.step
    and result.activation = given.activation and result.waits = given.waits
    and result.applied_revision is null
),
rescheduled as (
  update ${t.jobs} as job
  set state = 'scheduled', finished_at = null
  where job.instance_id = $1::text::uuid and job.state = 'cancelled' and ${isDelivery}
)
delete from ${t.jobs} as job
where job.instance_id = $1::text::uuid
  and (job.kind = 'advance' or not ${
    isLive("job")
  } and not (job.state = 'cancelled' and ${isDelivery}))`;
}
