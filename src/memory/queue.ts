import type { Job } from "../queue/job.ts";
import type { Beat, Demand, Queue, Served, Unserved } from "../queue/queue.ts";
import { byTime, byUrgency, free, leased, toJob } from "./jobs.ts";
import type { JobRow } from "./rows.ts";
import { run, type Tables } from "./tables.ts";

/** The queue's contract on tables in memory. */
export function memoryQueue(tables: Tables): Queue {
  return {
    register: (name, lease) =>
      run(tables, () => {
        const id = String(tables.reserve());
        tables.processes.insert({ id, name, expiresAt: tables.now() + lease });
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

    rescue: (rescuer) =>
      run(tables, () => {
        const dead = tables.processes.all()
          .filter((row) => row.expiresAt < tables.now() && row.id !== rescuer);
        for (const row of dead) tables.processes.delete(row);
        const ids = new Set<string | undefined>(dead.map((row) => row.id));
        const lost = tables.jobs.all().filter((job) =>
          job.state === "executing" && ids.has(job.process)
        );
        const queues = queuesOf(lost.sort(byTime).filter((job) => freed(tables, job)));
        return { processes: dead.map((row) => row.id), queues };
      }),

    nextDue: (atMost) =>
      run(tables, () => {
        const waits = putOffJobs(tables).map((job) => job.scheduledAt - tables.now());
        return Math.max(0, waits.reduce((least, wait) => Math.min(least, wait), atMost));
      }),

    unserved: (serves) => run(tables, () => unserved(tables, serves)),

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

function beat(tables: Tables, process: string, lease: number): Beat | undefined {
  const row = tables.processes.get(process);
  if (row === undefined) return undefined;
  tables.processes.put({ ...row, expiresAt: tables.now() + lease });
  return { owned: ownedBy(tables, process).map(({ id, token }) => ({ process, id, token })) };
}

function ownedBy(tables: Tables, process: string): readonly JobRow[] {
  return tables.jobs.all().filter((job) => job.state === "executing" && job.process === process);
}

function claim(tables: Tables, { process, queue, limit, serves, since }: Demand): readonly Job[] {
  if (tables.processes.get(process) === undefined) return [];
  tables.claimers.set(queue, (tables.claimers.get(queue) ?? new Set()).add(process));
  const now = tables.now();
  const known = servedBy(serves);
  const found = tables.jobs.all()
    .filter((job) => job.state === "available" && job.queue === queue && job.scheduledAt <= now)
    .filter((job) => since === undefined || job.scheduledAt > now - since)
    .filter(known)
    .sort(byUrgency)
    .slice(0, limit);
  return found.map((job) => {
    const claimed: JobRow = {
      ...job,
      state: "executing",
      process,
      attempt: job.attempt + 1,
      token: job.token + 1,
      attemptedAt: now,
    };
    tables.jobs.put(claimed);
    return toJob(claimed);
  });
}

function putOff(
  tables: Tables,
  lease: Parameters<Queue["retry"]>[0],
  delay: number,
  change: (job: JobRow) => Partial<JobRow>,
): Promise<boolean> {
  return run(tables, () => {
    const job = leased(tables, lease);
    if (job === undefined) return false;
    const scheduledAt = tables.now() + delay;
    tables.jobs.put({ ...job, process: undefined, scheduledAt, ...change(job) });
    return true;
  });
}

function putOffJobs(tables: Tables): JobRow[] {
  return tables.jobs.all().filter((job) => job.state === "scheduled" || job.state === "retryable");
}

function freed(tables: Tables, job: JobRow): boolean {
  return free(tables, job, job.attempt);
}

function queuesOf(jobs: readonly JobRow[]): readonly string[] {
  return [...new Set(jobs.map((job) => job.queue))];
}

function servedBy(serves: readonly Served[]): (served: Served) => boolean {
  const pairs = new Set(serves.map(pairOf));
  return (served) => pairs.has(pairOf(served));
}

function pairOf({ workflow, version }: Served): string {
  return JSON.stringify([workflow, version]);
}

function unserved(tables: Tables, serves: readonly Served[]): readonly Unserved[] {
  const known = servedBy(serves);
  const counts = new Map<string, Unserved>();
  for (const job of tables.jobs.all()) {
    if (job.state !== "available" || job.scheduledAt > tables.now() || known(job)) continue;
    const count = (counts.get(pairOf(job))?.count ?? 0) + 1;
    counts.set(pairOf(job), { workflow: job.workflow, version: job.version, count });
  }
  return [...counts.values()].sort((a, b) =>
    a.workflow < b.workflow ? -1 : a.workflow > b.workflow ? 1 : a.version - b.version
  );
}
