import type { InstanceState, Reopened, Reopening } from "../../backend/store.ts";
import { activeStatuses, type HistoryEntry, isFinal } from "../../core/engine/instance.ts";
import type { JobRecord } from "../rows.ts";
import { type MemoryTables, resultKey } from "../tables.ts";
import { commit } from "./commit.ts";
import { history, toState } from "./read.ts";

/** Writes what a person does to an instance, which may make it active again. */
export function reopen(
  tables: MemoryTables,
  instance: string,
  reopening: (state: InstanceState, history: readonly HistoryEntry[]) => Reopening | undefined,
): Reopened {
  const row = tables.instances.get(instance);
  const next = row && reopening(toState(row), history(tables, instance));
  if (row === undefined || next === undefined) return { kind: "kept", status: row?.status };
  if (isFinal(row.status)) {
    const uniqueKey = next.uniqueKey ?? row.uniqueKey;
    const by = isFinal(next.turn.status) ? undefined : holder(tables, uniqueKey);
    if (by !== undefined) return { kind: "taken", by };
    tables.instances.put({ ...row, error: undefined, uniqueKey });
    readAgain(tables, instance, next.unread);
  }
  const at = commit(tables, undefined, [next.turn]).get(instance);
  if (at === undefined) throw new Error("Cannot change the instance: its row could not be written");
  return { kind: "written", at };
}

/** The active instance that has a unique key. */
export function holder(tables: MemoryTables, key: string | undefined): string | undefined {
  return tables.instances.all().find((other) =>
    key !== undefined && other.uniqueKey === key && activeStatuses.includes(other.status)
  )?.id;
}

function readAgain(tables: MemoryTables, instance: string, unread: Reopening["unread"]): void {
  for (const key of unread) {
    const result = tables.results.get(resultKey(instance, key));
    if (result === undefined || result.appliedRevision !== undefined) continue;
    tables.results.put({ ...result, processed: false });
  }
  for (const job of tables.jobs.of(instance)) {
    if (isScheduled(job)) tables.jobs.put({ ...job, state: "scheduled", finishedAt: undefined });
    else if (job.kind === "advance" || job.finishedAt !== undefined) tables.jobs.delete(job);
  }
}

/** Whether a job is a scheduled delivery that was cancelled with its instance. */
function isScheduled({ kind, state, args }: JobRecord): boolean {
  return kind === "resume" && state === "cancelled" && "delivery" in JSON.parse(args ?? "{}");
}
