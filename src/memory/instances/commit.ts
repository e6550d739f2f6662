import type { JobId } from "../../backend/job.ts";
import type { InstanceState, LockedCommit, Written } from "../../backend/store.ts";
import type { Pass, Processed, Recorded, Recording, Turn } from "../../backend/turn.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { DROPPED } from "../../core/engine/progress.ts";
import { insertJob, insertOther, reuseJob, wakeAdvance } from "../jobs/insert.ts";
import { cancelJob, discardJob, leased, liveJobs } from "../jobs/jobs.ts";
import { jsonb } from "../jsonb.ts";
import type { JobRecord } from "../rows.ts";
import { type MemoryTables, resultKey } from "../tables.ts";
import { toState } from "./read.ts";
import { hasResult, insertApplied, insertResult } from "./results.ts";

/** Writes the turn that `turn` returns for the current state of an instance. */
export function commitLocked(
  tables: MemoryTables,
  instance: string,
  turn: (state: InstanceState) => Turn | undefined,
): LockedCommit {
  const row = tables.instances.get(instance);
  const next = row && turn(toState(row));
  const at = next && commit(tables, undefined, [next]).get(instance);
  return at === undefined ? { kind: "kept", status: row?.status } : { kind: "written", at };
}

/**
 * Writes turns, each of them whole or not at all. A process that was declared dead writes nothing.
 */
export function commit(
  tables: MemoryTables,
  process: string | undefined,
  turns: readonly Turn[],
): Written {
  if (process !== undefined && tables.processes.get(process) === undefined) return new Map();
  const written = turns.filter((turn) => write(tables, process, turn));
  return new Map(
    written.map(({ instance }) => [instance, new Date(tables.instances.get(instance)!.updatedAt)]),
  );
}

function write(tables: MemoryTables, process: string | undefined, turn: Turn): boolean {
  const before = tables.instances.get(turn.instance);
  if (before?.revision !== turn.revision) return false;
  // A delivery came first: the turn was computed from a result that was not kept.
  const isKnown = ({ result }: Recorded) =>
    result.event !== DROPPED && hasResult(tables, turn.instance, result);
  if (turn.recorded.some(isKnown)) return false;

  const now = tables.now();
  const revision = turn.revision + 1;
  tables.instances.put({
    ...before,
    revision,
    status: turn.status,
    control: jsonb(turn.control),
    metadata: turn.metadata === undefined ? before.metadata : jsonb(turn.metadata),
    error: turn.error === undefined ? before.error : jsonb(turn.error),
    updatedAt: now,
    finishedAt: isFinal(turn.status) ? now : undefined,
  });
  if (isFinal(turn.status)) tables.ended.ring(turn.instance);
  const { instance, version } = turn;
  insertApplied(tables, turn.recorded, { instance, version, process, appliedRevision: revision });
  for (const result of turn.processed) markProcessed(tables, instance, revision, result);
  moveJobs(tables, process, turn);
  return true;
}

function markProcessed(
  tables: MemoryTables,
  instance: string,
  revision: number,
  { causes, ...key }: Processed,
): void {
  const row = tables.results.get(resultKey(instance, key));
  if (row === undefined) return;
  const applied = causes && { causes: [...causes], appliedRevision: revision };
  tables.results.put({ ...row, processed: true, ...applied });
}

function moveJobs(tables: MemoryTables, process: string | undefined, turn: Turn): void {
  for (const id of turn.settled) {
    const job = tables.jobs.get(id);
    if (job !== undefined) tables.jobs.delete(job);
  }
  for (const { id, errors } of turn.discarded) {
    const job = tables.jobs.get(id);
    if (job !== undefined) discardJob(tables, job, errors);
  }
  const isResolved = (job: JobRecord) =>
    turn.resolved.some((one) => one.step === job.step && one.activation === job.activation);
  for (const job of liveJobs(tables, turn.instance)) {
    const isLeft = turn.status === "completed" || turn.status === "undone";
    const isEmptied = job.step !== undefined && turn.emptied?.includes(job.step) === true;
    if (isLeft || turn.bare || isResolved(job) || isEmptied) tables.jobs.delete(job);
    else if (isFinal(turn.status)) cancelJob(tables, job);
  }
  for (const job of turn.started) insertJob(tables, job, process);
  if (turn.reused !== undefined && process !== undefined) reuseJob(tables, turn.reused, process);
  if (turn.wake !== undefined) wakeAdvance(tables, turn.instance, turn.wake);
  for (const other of turn.others ?? []) insertOther(tables, other);
}

/** Writes the results of jobs whose lease is valid, and requests the advances that read them. */
export function record(tables: MemoryTables, records: readonly Recording[]): ReadonlySet<JobId> {
  const held = records.filter((recording) => {
    const job = leased(tables, recording.lease);
    if (job !== undefined) tables.jobs.delete(job);
    return job !== undefined;
  });
  const standing = held.filter((recording) => {
    const { instance, version, lease, wake } = recording;
    const kept = insertResult(tables, recording, { instance, version, process: lease.process });
    if (kept) wakeAdvance(tables, instance, wake);
    return kept;
  });
  return new Set(standing.map((recording) => recording.lease.id));
}

/** Ends jobs whose lease is valid, and marks the results that will never be read. */
export function pass(tables: MemoryTables, passes: readonly Pass[]): void {
  for (const { lease, instance, ignored } of passes) {
    const job = leased(tables, lease);
    if (job === undefined) continue;
    tables.jobs.delete(job);
    for (const key of ignored) {
      const row = tables.results.get(resultKey(instance, key));
      if (row !== undefined) tables.results.put({ ...row, processed: true });
    }
  }
}
