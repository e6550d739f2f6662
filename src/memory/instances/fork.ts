import type { Forking, InstanceState, Reopened } from "../../backend/store.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import { type MemoryTables, resultKey } from "../tables.ts";
import { open } from "./open.ts";
import { history, toState } from "./read.ts";
import { holder } from "./reopen.ts";
import { resultsOf } from "./results.ts";

/** Inserts an instance with results of another one. */
export function fork(
  tables: MemoryTables,
  source: string,
  forking: (state: InstanceState, history: readonly HistoryEntry[]) => Forking | undefined,
): Reopened {
  const row = tables.instances.get(source);
  const next = row && forking(toState(row), history(tables, source));
  if (next === undefined) return { kind: "kept", status: row?.status };
  const { instance, copied, revision } = next;
  const there = tables.instances.get(instance.id);
  if (there !== undefined) return { kind: "written", at: new Date(there.insertedAt) };
  const at = open(tables, undefined, [instance]).get(instance.id);
  if (at === undefined) return { kind: "taken", by: holder(tables, instance.uniqueKey) };
  tables.instances.put({ ...tables.instances.get(instance.id)!, revision });
  for (const one of resultsOf(tables, instance.id)) {
    tables.results.put({ ...one, appliedRevision: revision });
  }
  for (const { revision: appliedRevision, ...key } of copied) {
    const result = tables.results.get(resultKey(source, key));
    if (result === undefined) continue;
    tables.results.insert({
      ...result,
      instance: instance.id,
      appliedRevision,
      delivery: undefined,
      sequence: tables.nextSequence(),
    });
  }
  return { kind: "written", at };
}
