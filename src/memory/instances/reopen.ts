import type { InstanceState, Reopened, Reopening } from "../../backend/store.ts";
import { activeStatuses, type HistoryEntry, isFinal } from "../../core/engine/instance.ts";
import type { JobRecord } from "../rows.ts";
import { type MemoryTables, resultKey } from "../tables.ts";
import { commit } from "./commit.ts";
import { history, toState } from "./read.ts";

/** Makes an instance that has ended active again. */
export function reopen(
  tables: MemoryTables,
  instance: string,
  reopening: (state: InstanceState, history: readonly HistoryEntry[]) => Reopening | undefined,
): Reopened {
  const row = tables.instances.get(instance);
  if (row === undefined || !isFinal(row.status)) return { kind: "kept", status: row?.status };
  const next = reopening(toState(row), history(tables, instance));
  if (next === undefined) return { kind: "kept", status: row.status };
  const uniqueKey = next.uniqueKey ?? row.uniqueKey;
  const by = isFinal(next.turn.status)
    ? undefined
    : tables.instances.all().find((other) =>
      uniqueKey !== undefined && other.uniqueKey === uniqueKey &&
      activeStatuses.includes(other.status)
    );
  if (by !== undefined) return { kind: "taken", by: by.id };
  tables.instances.put({ ...row, error: undefined, uniqueKey });
  for (const key of next.unread) {
    const result = tables.results.get(resultKey(instance, key));
    if (result === undefined || result.appliedRevision !== undefined) continue;
    tables.results.put({ ...result, processed: false });
  }
  for (const job of tables.jobs.of(instance)) {
    if (isScheduled(job)) tables.jobs.put({ ...job, state: "scheduled", finishedAt: undefined });
    else if (job.kind === "advance" || job.finishedAt !== undefined) tables.jobs.delete(job);
  }
  const at = commit(tables, undefined, [next.turn]).get(instance);
  if (at === undefined) throw new Error("Cannot reopen the instance: its row could not be written");
  return { kind: "written", at };
}

/** Whether a job is a scheduled delivery that was cancelled with its instance. */
function isScheduled({ kind, state, args }: JobRecord): boolean {
  return kind === "resume" && state === "cancelled" && "delivery" in JSON.parse(args ?? "{}");
}
