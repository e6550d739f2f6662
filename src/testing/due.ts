import type { MemoryBackend } from "../memory/backend.ts";
import type { StoredJob } from "../memory/clock.ts";

type Inspected = Pick<MemoryBackend, "jobs" | "serves">;

/**
 * Waits until no job is due at `now`. After `patience` milliseconds, throws an error that lists the
 * jobs that are still due.
 */
export async function untilNothingIsDue(
  backend: Inspected,
  now: () => number,
  patience: number,
): Promise<void> {
  const end = performance.now() + patience;
  for (let due = dueAt(backend, now()); due.length > 0; due = dueAt(backend, now())) {
    if (performance.now() > end) {
      const jobs = due.length === 1 ? "1 job is" : `${due.length} jobs are`;
      throw new Error(
        `Cannot drain the backend: ${jobs} still due after ${patience} ms: ${
          describe(backend, due)
        }`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** When the next scheduled or retryable job is due; `undefined` when there is none. */
export function nextDue(backend: Inspected): number | undefined {
  const times = backend.jobs().filter(isPutOff).map(({ scheduledAt }) => scheduledAt.getTime());
  return times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other));
}

function dueAt(backend: Inspected, now: number): readonly StoredJob[] {
  return backend.jobs().filter((job) =>
    job.state === "available" || job.state === "executing" ||
    (isPutOff(job) && job.scheduledAt.getTime() <= now)
  );
}

function isPutOff({ state }: StoredJob): boolean {
  return state === "scheduled" || state === "retryable";
}

function describe(backend: Inspected, due: readonly StoredJob[]): string {
  const jobs = due.map(({ kind, step, queue }) =>
    (step ?? kind) + (backend.serves(queue) ? "" : `, in queue "${queue}", which no worker serves`)
  );
  return [...new Set(jobs)].join("; ");
}
