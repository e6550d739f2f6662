import type { NewInstance, Written } from "../../backend/store.ts";
import type { Recorded } from "../../backend/turn.ts";
import type { Tx } from "../driver/contract.ts";
import { insertJobs } from "../jobs/insert.ts";
import { queuesToWake } from "../notifications.ts";
import { array, texts } from "../sql/arrays.ts";
import {
  date,
  epoch,
  isFinalStatus,
  written,
  writtenOf,
  type WrittenRow,
} from "../sql/fragments.ts";
import { type Column, Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";
import { insertResults, recordedColumns } from "./results.ts";

/**
 * Inserts instances with their first jobs. The unique index decides which one gets a key. Returns
 * those that exist afterwards.
 */
export async function open(
  tx: Pick<Tx, "query">,
  t: Tables,
  channel: string,
  process: string | undefined,
  unsorted: readonly NewInstance[],
): Promise<Written> {
  // Insert in the order of the unique keys, so that two batches with common keys cannot deadlock.
  const instances = [...unsorted].sort((
    a,
    b,
  ) => ((a.uniqueKey ?? a.id) < (b.uniqueKey ?? b.id) ? -1 : 1));
  const { text, parameters } = openStatement(t, channel, process, instances);
  const [row] = await tx.query<WrittenRow>(text, parameters);
  const opened = writtenOf(row);
  const missing = instances.filter(({ id }) => !opened.has(id));
  if (missing.length === 0) return opened;
  const there = await tx.query<{ id: string; inserted_at: string }>(
    `select id::text, ${
      epoch("inserted_at")
    } as inserted_at from ${t.instances} where id = any ($1::uuid[])`,
    [array(missing, ({ id }) => id)],
  );
  for (const { id, inserted_at } of there) opened.set(id, date(inserted_at));
  return opened;
}

/** A caller's transaction may have begun before another instance of the key did. */
const now = "statement_timestamp()";

export const instanceColumns: readonly Column<NewInstance>[] = [
  ["id", "uuid", (instance) => instance.id],
  ["workflow", "text", (instance) => instance.workflow],
  ["version", "int", (instance) => instance.version],
  ["graph", "bigint", (instance) => instance.graph],
  ["key", "text", (instance) => instance.key],
  ["unique_key", "text", (instance) => instance.uniqueKey],
  ["status", "text", (instance) => instance.status],
  ["control", "text", (instance) => instance.control],
  ["tags", "text", (instance) => texts(instance.tags)],
  ["metadata", "text", (instance) => instance.metadata],
  ["error", "text", (instance) => instance.error],
  ["input", "text", (instance) => instance.input],
];

const parentColumns: readonly Column<NewInstance>[] = [
  ["parent_id", "uuid", ({ parent }) => parent?.instance],
  ["parent_step", "text", ({ parent }) => parent?.step],
];

function openStatement(
  t: Tables,
  channel: string,
  process: string | undefined,
  instances: readonly NewInstance[],
): { readonly text: string; readonly parameters: readonly (string | null)[] } {
  const s = new Statement();
  s.with(
    "me",
    `materialized (
  select id from ${t.processes} where id = ${s.bind(process ?? null)}::text::bigint for key share
)`,
  );
  const isChild = instances.some(({ parent }) => parent !== undefined);
  const [columns, names, values] = isChild
    ? [
      [...instanceColumns, ...parentColumns],
      ", parent_id, parent_step",
      ", instance.parent_id, instance.parent_step",
    ]
    : [instanceColumns, "", ""];
  s.with(
    "opened",
    `(
  insert into ${t.instances} (id, workflow, workflow_version, graph, key, unique_key, status, control, tags, metadata, error,
    input, inserted_at, updated_at, finished_at${names})
  select instance.id, instance.workflow, instance.version, instance.graph, instance.key, instance.unique_key, instance.status,
    instance.control::jsonb, instance.tags::text[], instance.metadata::jsonb, instance.error::jsonb,
    instance.input::jsonb, ${now}, ${now},
    case when ${isFinalStatus("instance.status")} then ${now} end${values}
  from ${s.rows("instance", instances, ...columns)}
  on conflict do nothing
  returning id, workflow, workflow_version, tags, metadata
)`,
  );
  recordOpening(s, t, instances, "opened", now);
  const started = instances.flatMap((instance) => instance.started);
  if (started.length > 0) s.with("started", `(${insertJobs(s, t, started, "opened")})`);
  const queues = queuesToWake([], started);
  const notice = queues === "" ? "" : `, pg_notify('${channel}', ${s.bind(queues)}::text)`;
  const text = s.text(
    `select ${written("opened", now)}${notice} from opened`,
  );
  return { text, parameters: s.parameters };
}

const waitsColumn: Column<{ readonly row: Recorded }> = [
  "waits",
  "boolean",
  ({ row }) => row.result.waits || undefined,
];

/** Inserts the results of choices that were decided at the start of the instances in `of`. */
export function recordOpening(
  s: Statement,
  t: Tables,
  instances: readonly NewInstance[],
  of: string,
  now: string,
): void {
  const recorded = instances.flatMap(({ id, recorded }) => recorded.map((row) => ({ id, row })));
  if (recorded.length === 0) return;
  // Only of steps over lists: other starts have the same statement as before.
  const waits = recorded.some(({ row }) => row.result.waits);
  const rows = s.rows(
    "result",
    recorded,
    ["instance_id", "uuid", ({ id }) => id],
    ...recordedColumns,
    ...(waits ? [waitsColumn] : []),
  );
  s.with(
    "recorded",
    `(${
      insertResults(t, {
        instance: `${of}.id`,
        version: `${of}.workflow_version`,
        of: "result",
        waits,
        revision: "1",
        at: `${now} + result.place * interval '1 microsecond'`,
        from: `from ${rows} join ${of} on ${of}.id = result.instance_id`,
      })
    })`,
  );
}
