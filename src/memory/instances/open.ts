import type { NewInstance, Written } from "../../backend/store.ts";
import { activeStatuses, isFinal } from "../../core/engine/instance.ts";
import { insertJob } from "../jobs/insert.ts";
import { jsonb } from "../jsonb.ts";
import type { MemoryTables } from "../tables.ts";
import { insertApplied } from "./results.ts";

/** Inserts instances whose unique key is free, each with its first jobs. */
export function open(
  tables: MemoryTables,
  process: string | undefined,
  instances: readonly NewInstance[],
): Written {
  const owner = process && tables.processes.get(process)?.id;
  const opened = instances.filter((instance) => {
    if (tables.instances.get(instance.id) !== undefined) return true;
    if (taken(tables, instance)) return false;
    insert(tables, owner, instance);
    return true;
  });
  return new Map(
    opened.map(({ id }) => [id, new Date(tables.instances.get(id)!.insertedAt)]),
  );
}

function taken(tables: MemoryTables, { uniqueKey, status }: NewInstance): boolean {
  return uniqueKey !== undefined && !isFinal(status) &&
    tables.instances.all().some((other) =>
      other.uniqueKey === uniqueKey && activeStatuses.includes(other.status)
    );
}

function insert(tables: MemoryTables, owner: string | undefined, given: NewInstance): void {
  const { recorded, started, parent: _, ...instance } = given;
  const now = tables.now();
  tables.instances.insert({
    ...instance,
    revision: 1,
    control: jsonb(given.control),
    tags: [...given.tags],
    metadata: jsonb(given.metadata),
    error: given.error && jsonb(given.error),
    input: jsonb(given.input),
    insertedAt: now,
    updatedAt: now,
    finishedAt: isFinal(given.status) ? now : undefined,
  });
  insertApplied(tables, recorded, {
    instance: given.id,
    version: given.version,
    process: owner,
    appliedRevision: 1,
  });
  for (const job of started) insertJob(tables, job, owner);
}
