import type { Job } from "../../backend/job.ts";
import type { Lease } from "../../backend/queue.ts";
import { eachAt, isItem } from "../../core/each/items.ts";
import type { Activation } from "../../core/engine/activation.ts";
import { leaseOf, type OwnedJob } from "../host.ts";
import { Cancellation } from "../run/cancellation.ts";

/** A job that has begun in a process. */
export interface RunningJob {
  readonly job: OwnedJob;
  readonly cancellation: Cancellation;
  /** When it began, on the clock of `performance`. */
  readonly began: number;
}

/** Whether a job runs an activation of a step, or one of its items. */
function isOf({ step = "", activation }: Job, one: Activation): boolean {
  const own = isItem(step) ? eachAt({ step, activation }) : { step, activation };
  return own.step === one.step && own.activation === one.activation;
}

/** The jobs that have begun in a process and have not ended. */
export class Running {
  /** By job id. */
  readonly jobs: Map<string, RunningJob> = new Map();
  /** Callbacks that wait until nothing runs. */
  readonly #drains = new Set<() => void>();

  /** Adds a job. Returns the object that cancels its code. */
  add(job: OwnedJob): Cancellation {
    const cancellation = new Cancellation();
    this.jobs.set(job.id, { job, cancellation, began: performance.now() });
    return cancellation;
  }

  remove(job: OwnedJob): void {
    if (this.jobs.get(job.id)?.job === job) this.jobs.delete(job.id);
    if (this.jobs.size > 0) return;
    for (const drained of this.#drains) drained();
    this.#drains.clear();
  }

  /** Aborts all running steps, those of one instance, or one of them. */
  abort(reason: Error, instance?: string, one?: Activation): void {
    for (const { job, cancellation } of this.jobs.values()) {
      const meant = instance === undefined ||
        (job.instance === instance && job.kind === "execute" &&
          (one === undefined || isOf(job, one)));
      if (meant) cancellation.abort(reason);
    }
  }

  /** Resolves once nothing runs. */
  drained(): Promise<void> {
    if (this.jobs.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drains.add(resolve));
  }

  leases(): readonly Lease[] {
    return [...this.jobs.values()].map(({ job }) => leaseOf(job));
  }
}
