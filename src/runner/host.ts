import type { InstanceState } from "../backend/store.ts";
import { isActive } from "../core/engine/control.ts";
import type { Instance } from "../core/engine/instance.ts";
import type { Job } from "../backend/job.ts";
import type { Lease } from "../backend/queue.ts";
import type { Slot, Slots } from "./claim/slots.ts";

/**
 * A job with the process that has claimed it: a process that was declared dead works on under
 * another id.
 */
export interface OwnedJob extends Job {
  readonly process: string;
  /** Given back when the job is over here, or earlier when its room goes to another one. */
  readonly slot: Slot;
}

/** The working process, as its runtime see it. */
export interface Host {
  /** Its id in the database: a new one after it has been declared dead. */
  readonly process: string;
  readonly slots: Slots;
  /** Whether it begins new work: not when it stops, nor beside a job that must run alone. */
  readonly accepting: boolean;
  /** Aborts when it gives up: nothing is tried again after that. */
  readonly givenUp: AbortSignal;
  /**
   * Whether a saturated process lets the queue go first this time, so that its own chains starve
   * nobody.
   */
  yields(queue: string): boolean;
  /** Begins a job that is executing here. */
  begin(job: OwnedJob): void;
  /** A job that was begun is over here, whatever came of it: its slot is free. */
  done(job: OwnedJob): void;
  /**
   * Its attempt has failed and could not be written down: it stays counted when the job is given
   * back.
   */
  unsettled(job: OwnedJob): void;
  /** Tells listeners of a job that was done: its row is deleted, or goes on. */
  stopped(job: OwnedJob): void;
  /** Aborts the running steps of an instance that has become final. */
  abort(instance: string, reason: Error): void;
  /** Looks for work in this queue after so many milliseconds. */
  expect(queue: string, delay: number): void;
  /**
   * Lets waiting callers know that an instance is final, and what it has become where that is
   * known.
   */
  finished(instance: string, final?: Instance): void;
}

/** Whether the step that a job is for has started and not ended. */
export function isRunning(
  { control }: Pick<InstanceState, "control">,
  { step = "", activation }: Pick<Job, "step" | "activation">,
): boolean {
  return isActive(control, { step, activation });
}

/** What fences the verdicts on a job. */
export function leaseOf({ process, id, token }: OwnedJob): Lease {
  return { process, id, token };
}
