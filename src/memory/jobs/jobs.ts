import { firstActivation } from "../../core/engine/activation.ts";
import type { Failure } from "../../core/value/failure.ts";
import type { Job, NewJob } from "../../backend/job.ts";
import type { Lease } from "../../backend/queue.ts";
import type { Wake } from "../../backend/turn.ts";
import { jsonb } from "../jsonb.ts";
import type { JobRecord } from "../rows.ts";
import type { MemoryTables } from "../tables.ts";

/** Puts a job in: owned by `owner` when it asks for that and there is one. */
export function insertJob(tables: MemoryTables, job: NewJob, owner: string | undefined): void {
  const { delay, owned, ...rest } = job;
  const now = tables.now();
  const process = owned ? owner : undefined;
  const state = process !== undefined
    ? "executing"
    : delay > 0 && !owned
    ? "scheduled"
    : "available";
  tables.jobs.insert({
    ...rest,
    ...copied(tables, job.instance),
    args: job.args && jsonb(job.args),
    state,
    process,
    attempt: process === undefined ? 0 : 1,
    token: process === undefined ? 0 : 1,
    deaths: 0,
    attemptedAt: process === undefined ? undefined : now,
    scheduledAt: state === "scheduled" ? now + delay : now,
    finishedAt: undefined,
    errors: undefined,
  });
  if (state === "available") tables.woken.ring(job.queue);
}

/** Puts a job into the row of the one that has ended. */
export function reuseJob(tables: MemoryTables, job: NewJob, process: string): void {
  const row = tables.jobs.get(job.id);
  if (row === undefined) return;
  const now = tables.now();
  tables.jobs.put({
    ...row,
    step: job.step,
    activation: job.activation,
    maxAttempts: job.maxAttempts,
    args: job.args && jsonb(job.args),
    ...copied(tables, job.instance),
    state: "executing",
    process,
    attempt: 1,
    token: row.token + 1,
    scheduledAt: now,
    attemptedAt: now,
    errors: undefined,
    deaths: 0,
  });
}

/** What a job takes from its instance. */
function copied(tables: MemoryTables, id: string): Pick<JobRecord, "tags" | "metadata"> {
  const instance = tables.instances.get(id);
  return {
    tags: instance?.tags ?? [],
    metadata: instance?.metadata === "{}" ? undefined : instance?.metadata,
  };
}

/**
 * Asks for an advance, unless one waits. One that executes does not count: it may have read too
 * early.
 */
export function wakeAdvance(tables: MemoryTables, instance: string, wake: Wake): void {
  tables.woken.ring(wake.queue);
  if (advanceWaits(tables, instance)) return;
  const job = {
    ...wake,
    id: String(tables.reserve()),
    kind: "advance",
    instance,
    step: undefined,
    activation: firstActivation,
    priority: 5,
    maxAttempts: undefined,
    delay: 0,
    owned: false,
    args: undefined,
  };
  insertJob(tables, job, undefined);
}

/**
 * Makes a job available again; an advance yields to one that waits already. False when it has
 * yielded.
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

function advanceWaits(tables: MemoryTables, instance: string): boolean {
  return tables.jobs.of(instance).some((job) =>
    job.kind === "advance" && job.state === "available"
  );
}

/** The job, when the lease holds. */
export function leased(tables: MemoryTables, { process, id, token }: Lease): JobRecord | undefined {
  const job = tables.jobs.get(id);
  const held = job?.state === "executing" && job.process === process && job.token === token;
  return held ? job : undefined;
}

/** The jobs of an instance, other than advances, that still have something to do. */
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
  const said = errors === undefined ? undefined : jsonb(errors);
  tables.jobs.put({ ...job, state: "discarded", process: undefined, errors: said, finishedAt });
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
