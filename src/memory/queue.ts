import { deathsInCompany, type Job } from "../backend/job.ts";
import {
  type Beat,
  type Demand,
  type LoneDemand,
  namedAtMost,
  type OrphanedJob,
  type Queue,
  type Rescued,
  type Served,
} from "../backend/queue.ts";
import { byTime, byUrgency, free, leased, toJob } from "./jobs/jobs.ts";
import { unserved } from "./jobs/unserved.ts";
import type { JobRecord } from "./rows.ts";
import { type MemoryTables, run } from "./tables.ts";

/** Implements the queue contract on tables in memory. */
export function memoryQueue(tables: MemoryTables): Queue {
  return {
    register: (name, lease, serving) =>
      run(tables, () => {
        const id = String(tables.reserve());
        tables.processes.insert({ id, name, expiresAt: tables.now() + lease, serving });
        return id;
      }),

    heartbeat: (process, lease) => run(tables, () => beat(tables, process, lease)),

    unregister: (process) =>
      run(tables, () => {
        const row = tables.processes.get(process);
        if (row !== undefined) tables.processes.delete(row);
        for (const job of ownedBy(tables, process)) free(tables, job, job.attempt - 1);
      }),

    reserveIds: () =>
      run(tables, () => {
        const from = tables.reserve();
        return { from, to: from + 1000 };
      }),

    claim: (demand) => run(tables, () => claim(tables, demand)),

    claimLone: (demand) =>
      run(tables, () => {
        const [job] = lone(tables, demand);
        return job && tables.processes.get(demand.process) && take(tables, job, demand.process);
      }),

    loneWaits: (demand) => run(tables, () => lone(tables, demand).length > 0),

    release: (leases, { counted = false } = {}) =>
      run(tables, () => {
        for (const lease of leases) {
          const job = leased(tables, lease);
          if (job !== undefined) free(tables, job, job.attempt - (counted ? 0 : 1));
        }
      }),

    retry: (lease, failures, delay) =>
      putOff(tables, lease, delay, () => ({
        state: "retryable",
        errors: JSON.stringify(failures),
      })),

    snooze: (lease, delay, { counted = false } = {}) =>
      putOff(tables, lease, delay, (job) => ({
        state: "scheduled",
        attempt: job.attempt - (counted ? 0 : 1),
      })),

    stage: (limit) =>
      run(tables, () => {
        const due = putOffJobs(tables).filter((job) => job.scheduledAt <= tables.now());
        return queuesOf(due.sort(byTime).slice(0, limit).filter((job) => freed(tables, job)));
      }),

    rescue: (rescuer) => run(tables, () => rescue(tables, rescuer)),

    nextDue: (atMost) =>
      run(tables, () => {
        const waits = putOffJobs(tables).map((job) => job.scheduledAt - tables.now());
        return Math.max(0, waits.reduce((least, wait) => Math.min(least, wait), atMost));
      }),

    unserved: () => run(tables, () => unserved(tables)),

    prune: (age, limit) =>
      run(tables, () => {
        const before = tables.now() - age;
        const old = tables.jobs.all()
          .filter((job) => job.finishedAt !== undefined && job.finishedAt < before)
          .sort((a, b) => a.finishedAt! - b.finishedAt!)
          .slice(0, limit);
        for (const job of old) tables.jobs.delete(job);
        return old.length;
      }),

    listen: (wake) => tables.woken.listen(wake),
  };
}

function beat(tables: MemoryTables, process: string, lease: number): Beat | undefined {
  const row = tables.processes.get(process);
  if (row === undefined) return undefined;
  tables.processes.put({ ...row, expiresAt: tables.now() + lease });
  return { owned: ownedBy(tables, process).map(({ id, token }) => ({ process, id, token })) };
}

function ownedBy(tables: MemoryTables, process: string): readonly JobRecord[] {
  return tables.jobs.all().filter((job) => job.state === "executing" && job.process === process);
}

function claim(
  tables: MemoryTables,
  { process, queue, limit, serves, since }: Demand,
): readonly Job[] {
  if (tables.processes.get(process) === undefined) return [];
  tables.claimers.set(queue, (tables.claimers.get(queue) ?? new Set()).add(process));
  const now = tables.now();
  const known = servedBy(serves);
  const found = tables.jobs.all()
    .filter((job) => job.state === "available" && job.queue === queue && job.scheduledAt <= now)
    .filter((job) => since === undefined || job.scheduledAt > now - since)
    .filter((job) => job.deaths < deathsInCompany)
    .filter(known)
    .sort(byUrgency)
    .slice(0, limit);
  return found.map((job) => take(tables, job, process));
}

function take(tables: MemoryTables, job: JobRecord, process: string): Job {
  const claimed: JobRecord = {
    ...job,
    state: "executing",
    process,
    attempt: job.attempt + 1,
    token: job.token + 1,
    attemptedAt: tables.now(),
  };
  tables.jobs.put(claimed);
  return toJob(claimed);
}

/** The jobs that wait to run alone, oldest first. */
function lone(
  tables: MemoryTables,
  { queues, serves }: Omit<LoneDemand, "process">,
): readonly JobRecord[] {
  return tables.jobs.all()
    .filter((job) => job.state === "available" && job.deaths >= deathsInCompany)
    .filter((job) => queues.includes(job.queue) && job.scheduledAt <= tables.now())
    .filter(servedBy(serves))
    .sort(byTime);
}

function rescue(tables: MemoryTables, rescuer: string | undefined): Rescued {
  const dead = tables.processes.all()
    .filter((row) => row.expiresAt < tables.now() && row.id !== rescuer);
  for (const row of dead) tables.processes.delete(row);
  const running = dead.flatMap(({ id }) =>
    ownedBy(tables, id).map((job) => bereaved(tables, id, job))
  );
  const lost = dead.flatMap(({ id }) => {
    const jobs = ownedBy(tables, id);
    return jobs.map((job) => ({ job, inCompany: jobs.length > 1 }));
  }).sort((a, b) => byTime(a.job, b.job));
  const freed = lost.filter(({ job, inCompany }) => {
    const refund = inCompany && job.deaths < deathsInCompany ? 1 : 0;
    return free(tables, job, job.attempt - refund, job.deaths + 1);
  });
  return {
    processes: dead.map((row) => row.id),
    queues: queuesOf(freed.map(({ job }) => job)),
    running: running.slice(0, namedAtMost),
  };
}

function bereaved(tables: MemoryTables, process: string, job: JobRecord): OrphanedJob {
  const { id, kind, workflow, version, instance, step, attempt, maxAttempts } = job;
  const key = tables.instances.get(instance)?.key;
  return { process, job: id, kind, workflow, version, key, instance, step, attempt, maxAttempts };
}

function putOff(
  tables: MemoryTables,
  lease: Parameters<Queue["retry"]>[0],
  delay: number,
  change: (job: JobRecord) => Partial<JobRecord>,
): Promise<boolean> {
  return run(tables, () => {
    const job = leased(tables, lease);
    if (job === undefined) return false;
    const scheduledAt = tables.now() + delay;
    tables.jobs.put({ ...job, process: undefined, scheduledAt, ...change(job) });
    return true;
  });
}

function putOffJobs(tables: MemoryTables): JobRecord[] {
  return tables.jobs.all().filter((job) => job.state === "scheduled" || job.state === "retryable");
}

function freed(tables: MemoryTables, job: JobRecord): boolean {
  return free(tables, job, job.attempt);
}

function queuesOf(jobs: readonly JobRecord[]): readonly string[] {
  return [...new Set(jobs.map((job) => job.queue))];
}

function servedBy(serves: readonly Served[]): (served: Served) => boolean {
  const pairs = new Set(serves.map(pairOf));
  return (served) => pairs.has(pairOf(served));
}

function pairOf({ workflow, version }: Served): string {
  return JSON.stringify([workflow, version]);
}
