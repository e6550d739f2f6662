import type { Unserved } from "../../backend/queue.ts";
import type { JobRecord, ProcessRow } from "../rows.ts";
import type { MemoryTables } from "../tables.ts";

/** Due jobs that no living process can take. */
export function unserved(tables: MemoryTables): readonly Unserved[] {
  const alive = tables.processes.all().filter((row) => row.expiresAt > tables.now());
  const servedQueues = [...new Set(alive.flatMap(({ serving }) => serving?.queues ?? []))].sort();
  const found = new Map<string, Unserved>();
  for (const job of tables.jobs.all()) {
    if (job.state !== "available" || job.scheduledAt > tables.now()) continue;
    if (alive.some((row) => serves(row, job) && knows(row, job))) continue;
    const { queue, workflow, version, step } = job;
    const key = JSON.stringify([queue, workflow, version]);
    found.set(key, {
      queue,
      workflow,
      version,
      count: (found.get(key)?.count ?? 0) + 1,
      step: found.get(key)?.step ?? step,
      hasQueue: alive.some((row) => serves(row, job)),
      hasCode: alive.some((row) => knows(row, job)),
      servedQueues,
    });
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, unserved]) => unserved);
}

function serves({ serving }: ProcessRow, { queue }: JobRecord): boolean {
  return serving === undefined || serving.queues.includes(queue);
}

function knows({ serving }: ProcessRow, { workflow, version }: JobRecord): boolean {
  return serving === undefined ||
    serving.workflows.some((one) => one.workflow === workflow && one.version === version);
}
