import type { JobId } from "../../backend/job.ts";
import type { DeleteResult, Delivered } from "../../backend/store.ts";
import type { NewDelivery } from "../../backend/turn.ts";
import { awaitedActivation, decodeControl, isActive } from "../../core/engine/control.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { DROPPED } from "../../core/engine/progress.ts";
import { insertOther, wakeAdvance } from "../jobs/insert.ts";
import type { InstanceRecord, JobRecord, ResultRecord } from "../rows.ts";
import { type MemoryTables, resultKey } from "../tables.ts";
import { insertResult } from "./results.ts";

/** Writes a delivery, unless its wait has already been answered. */
export function deliver(tables: MemoryTables, delivery: NewDelivery): Delivered {
  const { instance, version, step } = delivery;
  const row = tables.instances.get(instance);
  if (row === undefined) return { kind: "missing" };
  const control = decodeControl(row.control);
  const around = { loopsAround: () => delivery.loops };
  const sent = delivery.loops.length === 0
    ? undefined
    : [...tables.results.of(instance)].find((row) => row.delivery === delivery.id);
  const awaited = awaitedActivation(around, control, step);
  const activation = sent?.activation ?? delivery.activation ?? awaited;
  const active = isActive(control, { step, activation });
  const key = { step, activation, waits: false };
  const before = tables.results.get(resultKey(instance, key));
  if (before?.delivery === delivery.id) return { kind: repeated(before, active) };
  const applied = before?.causes !== undefined;
  if (isFinal(row.status) && !applied) return { kind: "final", status: row.status };
  if (before !== undefined) {
    return before.delivery === undefined
      ? { kind: "over", event: before.event }
      : { kind: "duplicate" };
  }
  if (row.graph !== undefined && row.graph !== delivery.graph) {
    return { kind: "changed", graph: row.graph };
  }
  if ((delivery.activation ?? awaited) < awaited) return { kind: "duplicate" };
  if (!active && control.undo !== undefined) return { kind: "undoing" };
  if (!active && delivery.branches.some((head) => control.dropped.has(head))) {
    return { kind: "over", event: DROPPED };
  }
  const result = { ...delivery, ...key, attempt: 1, errors: undefined, duration: undefined };
  insertResult(tables, result, { instance, version, delivery: delivery.id });
  wakeAdvance(tables, instance, delivery.wake);
  return { kind: active ? "accepted" : "early" };
}

/** The status that the first attempt of this delivery got. */
function repeated(row: ResultRecord, active: boolean): "accepted" | "early" {
  return row.causes !== undefined || active ? "accepted" : "early";
}

/** Deletes a delivery that is still scheduled. */
export function cancelScheduled(tables: MemoryTables, id: JobId): boolean {
  const job = tables.jobs.get(id);
  if (job === undefined || !isDelivery(job)) return false;
  if (!["scheduled", "available", "retryable"].includes(job.state)) return false;
  tables.jobs.delete(job);
  return true;
}

function isDelivery({ kind, args }: JobRecord): boolean {
  if (kind !== "resume" || args === undefined) return false;
  const value: unknown = JSON.parse(args);
  return typeof value === "object" && value !== null && "delivery" in value;
}

/** Deletes an instance and everything that belongs to it. */
export function deleteInstance(tables: MemoryTables, id: string, force: boolean): DeleteResult {
  const row = tables.instances.get(id);
  if (row === undefined) return { kind: "missing" };
  const { status } = row;
  if (!isFinal(status) && !force) return { kind: "active", status };
  tables.instances.delete(row);
  tellParent(tables, row);
  for (const result of tables.results.of(id)) tables.results.delete(result);
  for (const job of tables.jobs.of(id)) tables.jobs.delete(job);
  tables.ended.ring(id);
  return { kind: "deleted", status, at: new Date(tables.now()) };
}

/** A parent learns that a child was deleted that it waits for. */
function tellParent(tables: MemoryTables, { id, control }: InstanceRecord): void {
  const { parent } = decodeControl(control);
  if (parent === undefined) return;
  const { instance, step, activation, queue } = parent;
  const args = JSON.stringify({ delivery: id, child: id });
  insertOther(tables, { instance, step, activation, queue, args });
}
