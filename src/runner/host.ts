import type { Job } from "../backend/job.ts";
import type { Lease } from "../backend/queue.ts";
import type { InstanceState } from "../backend/store.ts";
import type { Pass } from "../backend/turn.ts";
import type { Activation } from "../core/engine/activation.ts";
import { isActive } from "../core/engine/control.ts";
import type { EndedInstance } from "../core/engine/instance.ts";
import type { Slot, Slots } from "./claim/slots.ts";

/**
 * A job with the id of the process that claimed it. A process that was declared dead continues
 * under a new id.
 */
export interface OwnedJob extends Job {
  readonly process: string;
  /** Released when the job ends here, or earlier when another job takes it over. */
  readonly slot: Slot;
}

/** The working process, as its runtime sees it. */
export interface Host {
  /** Its id in the database. It gets a new one after it was declared dead. */
  readonly process: string;
  readonly slots: Slots;
  /**
   * Whether it begins new work. It does not while it stops, or next to a job that must run alone.
   */
  readonly accepting: boolean;
  /** Aborts when the process gives up: nothing is retried after that. */
  readonly givenUp: AbortSignal;
  /**
   * Whether a saturated process takes from the queue first this time. This keeps its own chains
   * from starving other jobs.
   */
  yields(queue: string): boolean;
  /** Begins a job that already executes in this process according to the database. */
  begin(job: OwnedJob): void;
  /** Records that a job has ended here, whatever its outcome: its slot is free. */
  done(job: OwnedJob): void;
  /**
   * Records that an attempt failed and its verdict could not be written. The attempt still counts
   * when the job is given back.
   */
  unsettled(job: OwnedJob): void;
  /** Notifies listeners that a job is done: its row was deleted or reused. */
  stopped(job: OwnedJob): void;
  /** Aborts the running steps of an instance that has become final, or one that was dropped. */
  abort(instance: string, reason: Error, one?: Activation): void;
  /** Looks for work in this queue after `delay` milliseconds. */
  expect(queue: string, delay: number): void;
  /** Tells waiting callers that an instance is final, and its final state if that is known. */
  finished(instance: string, final?: EndedInstance): void;
}

/** Whether the step of a job has started and not ended. */
export function isRunning(
  { control }: Pick<InstanceState, "control">,
  { step = "", activation }: Pick<Job, "step" | "activation">,
): boolean {
  return isActive(control, { step, activation });
}

/** The lease that fences the verdicts on a job. */
export function leaseOf({ process, id, token }: OwnedJob): Lease {
  return { process, id, token };
}

/** The end of a job that has nothing to write; `ignored` are results that will not be read. */
export function passOf(job: OwnedJob, ignored: Pass["ignored"] = []): Pass {
  return { lease: leaseOf(job), instance: job.instance, ignored };
}
