import type { NewInstance, Written } from "../../backend/store.ts";
import { isFinal } from "../../core/engine/instance.ts";
import type { Queryable } from "../driver/contract.ts";
import { instanceColumns, recordOpening } from "../instances/open.ts";
import { insertJobs } from "../jobs/insert.ts";
import { type Channels, endedPayload, queuesToWake } from "../notifications.ts";
import {
  isActiveStatus,
  isFinalStatus,
  written,
  writtenOf,
  type WrittenRow,
} from "../sql/fragments.ts";
import { Statement } from "../sql/statement.ts";
import type { Tables } from "../sql/tables.ts";

/**
 * Writes the first turn of an instance that SQL has started. Afterwards its row, results and jobs
 * are those that a start of the same input would have inserted. The revision fences it, as it does
 * every turn.
 */
export async function begin(
  on: Queryable,
  t: Tables,
  channels: Channels,
  process: string,
  instance: NewInstance,
): Promise<Written> {
  const s = new Statement();
  const final = isFinalStatus("given.status");
  s.with(
    "me",
    `materialized (
  select id from ${t.processes} where id = ${s.bind(process)}::text::bigint for key share
)`,
  );
  s.with(
    "begun",
    `(
  update ${t.instances} as instance
  set revision = case when given.graph is null then 0 else 1 end, graph = given.graph, status = given.status,
    control = given.control::jsonb, tags = given.tags::text[], metadata = given.metadata::jsonb,
    error = given.error::jsonb, input = given.input::jsonb, updated_at = now(),
    unique_key = case when not ${final} then instance.unique_key end,
    finished_at = case when ${final} then now() end
  from me, ${s.rows("given", [instance], ...instanceColumns)}
  where instance.id = given.id and instance.revision = 0 and ${isActiveStatus("instance.status")}
  returning instance.id, instance.workflow, instance.workflow_version, instance.tags, instance.metadata
)`,
  );
  recordOpening(s, t, [instance], "begun", "now()");
  const { started, status } = instance;
  if (started.length > 0) s.with("started", `(${insertJobs(s, t, started, "begun")})`);
  const notices = [
    [channels.jobs, queuesToWake([], started)],
    [channels.ended, isFinal(status) ? endedPayload(process, [instance.id]) : ""],
  ].filter(([, payload]) => payload !== "")
    .map(([channel, payload]) => `, pg_notify('${channel}', ${s.bind(payload!)}::text)`);
  const text = s.text(`select ${written("begun")}${notices.join("")} from begun`);
  const [row] = await on.query<WrittenRow>(text, s.parameters);
  return writtenOf(row);
}
