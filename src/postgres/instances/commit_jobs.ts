import type { DiscardedJob, Turn } from "../../backend/turn.ts";
import { type InstanceStatus, isFinal } from "../../core/engine/instance.ts";
import { wakeAdvances } from "../jobs/wake.ts";
import { at, each, isLiveStep, jobActivation, type OfTurn } from "../sql/fragments.ts";
import type { Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";

export function settle(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const settled = each(turns, (turn) => turn.settled);
  if (settled.length > 0) {
    s.with(
      "settled",
      `(
  delete from ${t.jobs}
  where id = any (array(
    select own.id
    from ${s.rows("own", settled, at, ["id", "bigint", ({ row }) => row])}
    where own.at in (select at from advanced)
    order by own.id))
)`,
    );
  }
  emptied(s, t, turns);
  const resolved = each(turns, (turn) => turn.resolved);
  if (resolved.length === 0) return;
  const wait = s.rows(
    "wait",
    resolved,
    at,
    ["step", "text", ({ row }) => row.step],
    ["activation", "int", ({ row }) => row.activation],
  );
  s.with(
    "resolved",
    `(
  delete from ${t.jobs} as job
  using ${wait}
  join advanced using (at)
  where job.instance_id = advanced.id
    and job.step = wait.step
    and ${jobActivation("job")} = wait.activation
    and ${live}
)`,
  );
}

/** Which items of a withdrawn list have begun and not ended only their jobs know. */
function emptied(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const emptied = each(turns, (turn) => turn.emptied ?? []);
  if (emptied.length === 0) return;
  const items = s.rows("items", emptied, at, ["step", "text", ({ row }) => row]);
  s.with(
    "emptied",
    `(
  delete from ${t.jobs} as job
  using ${items}
  join advanced using (at)
  where job.instance_id = advanced.id
    and job.step = items.step
    and ${live}
)`,
  );
}

const live = isLiveStep("job");

/**
 * Ends the remaining jobs of an instance that ends. They are deleted when it completes or is
 * undone: only scheduled deliveries are left then. When it fails or is cancelled, they are kept as
 * cancelled.
 */
export function dropRest(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const bare = each(turns, (turn) => turn.bare ? [turn] : []);
  const isBare = bare.length === 0
    ? "false"
    : `advanced.at = any (${s.array(bare, "int", (turn) => turn.at)})`;
  if (bare.length > 0 || turns.some(({ status }) => deletesJobs(status))) {
    s.with(
      "dropped",
      `(
  delete from ${t.jobs} as job
  using advanced
  where (advanced.status in ('completed', 'undone') or ${isBare}) and job.instance_id = advanced.id and ${live}
)`,
    );
  }
  const cancels = ({ status, bare }: Turn) => !bare && isFinal(status) && !deletesJobs(status);
  if (!turns.some(cancels)) return;
  const discarded = each(turns, (turn) => turn.discarded);
  if (discarded.length > 0) discard(s, t, discarded);
  const own = turns.filter(cancels)
    .flatMap((turn) => [...turn.settled, ...turn.discarded.map(({ id }) => id)]);
  s.with(
    "cancelled",
    `(
  update ${t.jobs} as job
  set state = 'cancelled', finished_at = now(), process_id = null
  from advanced
  where advanced.status in ('failed', 'cancelled') and not ${isBare}
    and job.instance_id = advanced.id and ${live}
    and job.id <> all (${s.array(own, "bigint", (id) => id)})
)`,
  );
}

function deletesJobs(status: InstanceStatus): boolean {
  return status === "completed" || status === "undone";
}

function discard(s: Statement, t: Tables, discarded: readonly OfTurn<DiscardedJob>[]): void {
  const rows = s.rows(
    "own",
    discarded,
    at,
    ["id", "bigint", ({ row }) => row.id],
    ["errors", "text", ({ row }) => row.errors],
  );
  s.with(
    "discarded",
    `(
  update ${t.jobs} as job
  set state = 'discarded', finished_at = now(), process_id = null, errors = own.errors::jsonb
  from ${rows}
  join advanced using (at)
  where job.id = own.id
)`,
  );
}

export function wake(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const wakes = each(turns, ({ wake }) => (wake ? [wake] : []));
  if (wakes.length === 0) return;
  const rows = s.rows("wake", wakes, at, ["queue", "text", ({ row }) => row.queue]);
  const waking =
    `select advanced.id, wake.queue, advanced.workflow, advanced.workflow_version, advanced.id
    from ${rows}
    join advanced using (at)
    order by advanced.id`;
  s.with("woken", `(${wakeAdvances(t, waking)})`);
}
