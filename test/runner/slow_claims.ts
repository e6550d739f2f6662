import type { Job } from "../../src/backend/job.ts";
import type { Storage } from "../../src/backend/storage.ts";
import type { Gate } from "../everywhere.ts";

/** A backend whose claims are answered when the gate opens, and the jobs that they have claimed. */
export function slowClaims(
  backend: Storage,
  answer: Gate,
): { readonly slow: Storage; readonly claimed: readonly Job[] } {
  const claimed: Job[] = [];
  const slow: Storage = {
    ...backend,
    queue: {
      ...backend.queue,
      async claim(demand) {
        const jobs = await backend.queue.claim(demand);
        claimed.push(...jobs);
        if (jobs.length > 0) await answer.opened;
        return jobs;
      },
    },
  };
  return { slow, claimed };
}
