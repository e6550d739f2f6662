import type { InstanceState, LockedCommit, Written } from "../../backend/store.ts";
import type { Recorded, Turn } from "../../backend/turn.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { DROPPED } from "../../core/engine/progress.ts";
import type { Queryable, Tx } from "../driver/contract.ts";
import { insertJobs, reuseJobs } from "../jobs/insert.ts";
import { type Channels, endedPayload, queuesToWake } from "../notifications.ts";
import { insertOthers, othersIn } from "../jobs/others.ts";
import {
  at,
  each,
  isFinalStatus,
  type OfTurn,
  written,
  writtenOf,
  type WrittenRow,
} from "../sql/fragments.ts";
import { type Column, Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";
import { dropRest, settle, wake } from "./commit_jobs.ts";
import { lock, read } from "./read.ts";
import { insertResults, recordedColumns } from "./results.ts";

/** Writes turns. Each is fenced by its revision, and the batch by the process row. */
export async function commit(
  tx: Pick<Tx, "query">,
  t: Tables,
  channels: Channels,
  process: string | undefined,
  turns: readonly Turn[],
): Promise<Written> {
  const { text, parameters } = commitStatement(t, channels, process, turns);
  const [row] = await tx.query<WrittenRow>(text, parameters);
  return writtenOf(row);
}

/**
 * Writes the turn that `turn` returns for the current state of an instance. The lock and the
 * turn are two statements. In a single one, the snapshot would be older than the lock, and a job
 * handed over in between would continue to execute.
 */
export async function commitLocked(
  on: Queryable,
  t: Tables,
  channels: Channels,
  instance: string,
  turn: (state: InstanceState) => Turn | undefined,
): Promise<LockedCommit> {
  const state = await lock(on, t, instance);
  if (state === undefined && (await read(on, t, [instance])).length > 0) {
    throw new Error("Cannot end the instance: row-level security does not allow locking its row");
  }
  const next = state && turn(state);
  if (next === undefined) return { kind: "kept", status: state?.status };
  const at = (await commit(on, t, channels, undefined, [next])).get(instance);
  if (at === undefined) throw new Error("Cannot end the instance: its row could not be written");
  return { kind: "written", at };
}

/**
 * One durable step costs one row in each part of this statement, which is one transaction. Parts
 * that would write nothing are omitted: starting and ending an empty part costs more than a row in
 * the others.
 */
function commitStatement(
  t: Tables,
  channels: Channels,
  process: string | undefined,
  unsorted: readonly Turn[],
): { readonly text: string; readonly parameters: readonly (string | null)[] } {
  // All batches lock instances in the same order.
  const turns = [...unsorted].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  const s = new Statement();
  // Declaring this process dead deletes its row, and so waits for this statement. Once the row is
  // gone, nothing below is written.
  s.with(
    "me",
    process === undefined ? "(select null::bigint as id)" : `materialized (
  select id from ${t.processes} where id = ${s.bind(process)}::text::bigint for key share
)`,
  );
  advance(s, t, turns);
  record(s, t, turns);
  mark(s, t, turns);
  settle(s, t, turns);
  dropRest(s, t, turns);
  const started = turns.flatMap((turn) => turn.started);
  if (started.length > 0) s.with("started", `(${insertJobs(s, t, started, "advanced")})`);
  // Rows are locked in the order of this list: by id, like those that are deleted.
  const reused = each(turns, ({ reused }) => (reused ? [reused] : []))
    .sort((a, b) => Number(a.row.id) - Number(b.row.id));
  if (reused.length > 0) s.with("reused", `(${reuseJobs(s, t, reused, "advanced")})`);
  wake(s, t, turns);
  const others = othersIn(turns);
  if (others.length > 0) s.with("others", `(${insertOthers(s, t, others)})`);
  const ended = turns.filter(({ status }) => isFinal(status)).map(({ instance }) => instance);
  const notices = [
    notify(s, channels.jobs, queuesToWake(turns, started)),
    notify(s, channels.ended, endedPayload(process, ended)),
  ].join("");
  const text = s.text(
    `select ${written("advanced")}${notices} from advanced`,
  );
  return { text, parameters: s.parameters };
}

/** Once per batch: notifying in every commit would disable group commit. */
function notify(s: Statement, channel: string, payload: string): string {
  return payload === "" ? "" : `, pg_notify('${channel}', ${s.bind(payload)}::text)`;
}

function advance(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const columns: readonly Column<Turn>[] = [
    ["instance_id", "uuid", (turn) => turn.instance],
    ["revision", "int", (turn) => turn.revision],
    ["status", "text", (turn) => turn.status],
    ["control", "text", (turn) => turn.control],
    ["metadata", "text", (turn) => turn.metadata, "rare"],
    ["error", "text", (turn) => turn.error, "rare"],
    ["at", "int", (_, index) => index],
  ];
  s.with(
    "advanced",
    `(
  update ${t.instances} as instance
  set revision = instance.revision + 1,
      status = turn.status,
      control = turn.control::jsonb,
      metadata = coalesce(turn.metadata::jsonb, instance.metadata),
      error = coalesce(turn.error::jsonb, instance.error),
      updated_at = now(),
      finished_at = case when ${isFinalStatus("turn.status")} then now() end
  from ${s.rows("turn", turns, ...columns)}
  where instance.id = turn.instance_id
    and instance.revision = turn.revision
    and exists (select from me)
  returning instance.id, instance.revision, instance.status, instance.workflow, instance.workflow_version,
    instance.tags, instance.metadata, turn.at
)`,
  );
}

function record(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const all = each(turns, (turn) => turn.recorded);
  const isDropped = ({ row }: OfTurn<Recorded>) => row.result.event === DROPPED;
  const dropped = all.filter(isDropped);
  const ended = dropped.length === 0 ? all : all.filter((one) => !isDropped(one));
  insertRecorded(s, t, "recorded", ended, "");
  insertRecorded(s, t, "withdrawn", dropped, "on conflict do nothing");
}

function insertRecorded(
  s: Statement,
  t: Tables,
  name: string,
  recorded: readonly OfTurn<Recorded>[],
  conflict: string,
): void {
  if (recorded.length === 0) return;
  const rows = s.rows(
    "result",
    recorded,
    at,
    ...recordedColumns,
    ["waits", "boolean", ({ row: { result } }) => result.waits || undefined, "rare"],
    ["attempt", "int", ({ row: { result } }) => result.attempt],
    ["errors", "text", ({ row: { result } }) => result.errors, "rare"],
    ["duration", "float8", ({ row: { result } }) => result.duration],
  );
  s.with(
    name,
    `(${
      insertResults(t, {
        instance: "advanced.id",
        version: "advanced.workflow_version",
        of: "result",
        process: "me.id",
        revision: "advanced.revision",
        at: "now() + result.place * interval '1 microsecond'",
        from: `from ${rows} join advanced using (at) cross join me ${conflict}`,
      })
    })`,
  );
}

function mark(s: Statement, t: Tables, turns: readonly Turn[]): void {
  const processed = each(turns, (turn) => turn.processed);
  if (processed.length === 0) return;
  const rows = s.rows(
    "read",
    processed,
    at,
    ["step", "text", ({ row }) => row.step],
    ["activation", "int", ({ row }) => row.activation],
    ["waits", "boolean", ({ row }) => row.waits],
    ["causes", "text", ({ row }) => row.causes?.join(",")],
  );
  s.with(
    "marked",
    `(
  update ${t.results} as result
  set processed = true,
      applied_revision = case when read.causes is not null then advanced.revision end,
      causes = read.causes
  from ${rows}
  join advanced using (at)
  where result.instance_id = advanced.id
    and result.step_ref = read.step
    and result.activation = read.activation
    and result.waits = read.waits
)`,
  );
}
