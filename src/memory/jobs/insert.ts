import { type NewJob, type WithDeadline, withdrawnStep } from "../../backend/job.ts";
import type { OtherJob, Wake } from "../../backend/turn.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { jsonb } from "../jsonb.ts";
import type { JobRecord } from "../rows.ts";
import type { MemoryTables } from "../tables.ts";
import { advanceWaits } from "./jobs.ts";

/** Inserts a job. If the job is to begin immediately and `owner` is given, it owns the job. */
export function insertJob(tables: MemoryTables, job: NewJob, owner: string | undefined): void {
  const { delay, due, deadline: _, owned, ...rest } = job;
  const now = tables.now();
  const scheduledAt = Math.max(now, due?.getTime() ?? now + delay);
  const process = owned ? owner : undefined;
  const state = process !== undefined
    ? "executing"
    : scheduledAt > now && !owned
    ? "scheduled"
    : "available";
  tables.jobs.insert({
    ...rest,
    ...copied(tables, job.instance),
    args: argsOf(job, now),
    state,
    process,
    attempt: process === undefined ? 0 : 1,
    token: process === undefined ? 0 : 1,
    deaths: 0,
    attemptedAt: process === undefined ? undefined : now,
    scheduledAt: state === "scheduled" ? scheduledAt : now,
    finishedAt: undefined,
    errors: undefined,
  });
  if (state === "available") tables.woken.ring(job.queue);
}

/** Inserts a job into the row of one that has ended. */
export function reuseJob(tables: MemoryTables, job: NewJob, process: string): void {
  const row = tables.jobs.get(job.id);
  if (row === undefined) return;
  const now = tables.now();
  tables.jobs.put({
    ...row,
    step: job.step,
    activation: job.activation,
    maxAttempts: job.maxAttempts,
    args: argsOf(job, now),
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

function argsOf({ args, deadline }: NewJob, now: number): string | undefined {
  if (deadline === undefined) return args && jsonb(args);
  const kept: WithDeadline = {
    deadline: typeof deadline === "number" ? now + deadline : deadline.getTime(),
  };
  return jsonb(JSON.stringify(kept));
}

/** The columns that a job copies from its instance. */
function copied(tables: MemoryTables, id: string): Pick<JobRecord, "tags" | "metadata"> {
  const instance = tables.instances.get(id);
  return {
    tags: instance?.tags ?? [],
    metadata: instance?.metadata === "{}" ? undefined : instance?.metadata,
  };
}

/**
 * Inserts an advance unless one is waiting. An executing one does not count, because it may have
 * read too early.
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

/** Inserts a job for a parent that has not ended, or for a child. */
export function insertOther(tables: MemoryTables, other: OtherJob): void {
  const of = tables.instances.get(other.instance);
  if (of === undefined || (isFinal(of.status) && other.step !== withdrawnStep)) return;
  const job = {
    ...other,
    id: String(tables.reserve()),
    kind: "resume",
    workflow: of.workflow,
    version: of.version,
    priority: 5,
    maxAttempts: undefined,
    delay: 0,
    owned: false,
  };
  insertJob(tables, job, undefined);
}
