import type { Job } from "../../backend/job.ts";
import type { Lease } from "../../backend/queue.ts";
import type { Failure } from "../../core/value/failure.ts";
import { jsonb } from "../jsonb.ts";
import type { JobRecord } from "../rows.ts";
import type { MemoryTables } from "../tables.ts";

/**
 * Makes a job available again. An advance yields to one that is already waiting; the result is
 * false then.
 */
export function free(
  tables: MemoryTables,
  job: JobRecord,
  attempt: number,
  deaths: number = job.deaths,
): boolean {
  if (job.kind === "advance" && advanceWaits(tables, job.instance)) {
    tables.jobs.delete(job);
    return false;
  }
  tables.jobs.put({ ...job, state: "available", process: undefined, attempt, deaths });
  tables.woken.ring(job.queue);
  return true;
}

export function advanceWaits(tables: MemoryTables, instance: string): boolean {
  return tables.jobs.of(instance).some((job) =>
    job.kind === "advance" && job.state === "available"
  );
}

/** The job, if the lease is valid. */
export function leased(tables: MemoryTables, { process, id, token }: Lease): JobRecord | undefined {
  const job = tables.jobs.get(id);
  const held = job?.state === "executing" && job.process === process && job.token === token;
  return held ? job : undefined;
}

/** The jobs of an instance that still have something to do, except advances. */
export function liveJobs(tables: MemoryTables, instance: string): readonly JobRecord[] {
  return tables.jobs.of(instance).filter((job) =>
    job.kind !== "advance" && job.state !== "discarded" && job.state !== "cancelled"
  );
}

export function cancelJob(tables: MemoryTables, job: JobRecord): void {
  const finishedAt = tables.now();
  tables.jobs.put({ ...job, state: "cancelled", process: undefined, finishedAt });
}

export function discardJob(
  tables: MemoryTables,
  job: JobRecord,
  errors: string | undefined,
): void {
  const finishedAt = tables.now();
  const stored = errors === undefined ? undefined : jsonb(errors);
  tables.jobs.put({ ...job, state: "discarded", process: undefined, errors: stored, finishedAt });
}

export function failuresOf(job: JobRecord): readonly Failure[] {
  return job.errors === undefined ? [] : JSON.parse(job.errors);
}

/** The job as its worker sees it. */
export function toJob(row: JobRecord): Job {
  return {
    id: row.id,
    kind: row.kind,
    workflow: row.workflow,
    version: row.version,
    instance: row.instance,
    step: row.step,
    activation: row.activation,
    queue: row.queue,
    priority: row.priority,
    attempt: row.attempt,
    at: row.attemptedAt ?? 0,
    token: row.token,
    maxAttempts: row.maxAttempts,
    deaths: row.deaths,
    errors: failuresOf(row),
    args: row.args === undefined ? undefined : JSON.parse(row.args),
  };
}

/** Most urgent first, then oldest. */
export function byUrgency(a: JobRecord, b: JobRecord): number {
  return a.priority - b.priority || byTime(a, b);
}

export function byTime(a: JobRecord, b: JobRecord): number {
  return a.scheduledAt - b.scheduledAt || Number(a.id) - Number(b.id);
}
