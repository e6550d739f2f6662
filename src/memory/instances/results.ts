import type { NewResult, Recorded, ResultKey } from "../../backend/turn.ts";
import { jsonb } from "../jsonb.ts";
import type { ResultRecord } from "../rows.ts";
import { type MemoryTables, resultKey } from "../tables.ts";

/** The origin of a result and its processing state. */
type Origin = Pick<ResultRecord, "instance" | "version"> & Partial<ResultRecord>;

/**
 * Inserts a result. Returns false when this activation of the step already has one: the first
 * result wins.
 */
export function insertResult(tables: MemoryTables, result: NewResult, origin: Origin): boolean {
  const key = resultKey(origin.instance, result);
  if (tables.results.get(key) !== undefined) return false;
  const now = tables.now();
  tables.results.insert({
    step: result.step,
    activation: result.activation,
    waits: result.waits,
    event: result.event,
    output: result.output && jsonb(result.output),
    metadata: result.metadata && jsonb(result.metadata),
    attempt: result.attempt,
    errors: result.errors && jsonb(result.errors),
    duration: result.duration,
    sequence: tables.nextSequence(),
    processed: false,
    appliedRevision: undefined,
    causes: undefined,
    delivery: undefined,
    process: undefined,
    startedAt: result.duration === undefined ? undefined : now - result.duration,
    insertedAt: now,
    ...origin,
  });
  return true;
}

/** Inserts results together with the transitions that they cause. */
export function insertApplied(
  tables: MemoryTables,
  results: readonly Recorded[],
  origin: Origin,
): void {
  for (const { result, causes } of results) {
    insertResult(tables, result, { ...origin, processed: true, causes: [...causes] });
  }
}

/** Whether this activation of the step has a result. */
export function hasResult(
  tables: MemoryTables,
  instance: string,
  key: ResultKey,
): boolean {
  return tables.results.get(resultKey(instance, key)) !== undefined;
}

/** The results of an instance in the order of their insertion. */
export function resultsOf(tables: MemoryTables, instance: string): readonly ResultRecord[] {
  return [...tables.results.of(instance)].sort((a, b) => a.sequence - b.sequence);
}
