import { encodeControl } from "../../core/engine/control.ts";
import { filtered } from "../../core/engine/filtered.ts";
import type { NewJob } from "../../backend/job.ts";
import type { Turn } from "../../backend/turn.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { Slot } from "../claim/slots.ts";
import { jobsOf, placement } from "./new_jobs.ts";
import type { Runtime } from "../runtime.ts";
import type { Plan } from "./plan.ts";
import { thrown, wakeOf } from "./compute_turn.ts";

/** A turn with its jobs, some of them handed over to this process. */
export interface HandedOver {
  readonly plan: Plan;
  readonly turn: Turn;
  /** The slots that they need beside those of the jobs that have ended. */
  readonly taken: readonly Slot[];
}

/**
 * Gives turns their jobs. A job whose step has ended leaves its slot to what it starts, once the
 * turn is written. `plain` when the database has refused what a choice has thrown.
 */
export async function ready(
  runtime: Runtime,
  host: Host,
  plans: readonly Plan[],
  plain = false,
): Promise<readonly HandedOver[]> {
  const turns = plans.map(({ computed }) => computed.progress);
  let left: string[] = [];
  let taken: Slot[] = [];
  const place = await placement(runtime, turns, (queue) => {
    if (!runtime.inline || !host.accepting || host.yields(queue)) return false;
    if (removed(left, queue)) return true;
    const slot = host.slots.take(queue);
    if (slot !== undefined) taken.push(slot);
    return slot !== undefined;
  });
  return plans.map((plan) => {
    left = plan.included.map(({ job }) => job.queue);
    taken = [];
    const jobs = jobsOf(runtime, plan, plan.computed.progress, place);
    return { plan, turn: turnOf(runtime, plan, jobs, plain), taken };
  });
}

/** Takes one of them out, in no order. */
function removed(queues: string[], queue: string): boolean {
  const at = queues.indexOf(queue);
  if (at < 0) return false;
  const last = queues.pop()!;
  if (at < queues.length) queues[at] = last;
  return true;
}

const none: readonly never[] = [];

function turnOf(runtime: Runtime, plan: Plan, jobs: readonly NewJob[], plain: boolean): Turn {
  const { workflow, included, computed: { next, progress, metadata, recorded, processed } } = plan;
  const heir = heirOf(plan, jobs);
  return {
    instance: plan.instance,
    version: next.version,
    revision: next.revision - 1,
    status: next.status,
    control: encodeControl(next.control),
    metadata,
    error: thrown(progress, plain),
    recorded,
    processed,
    settled: heir === undefined ? included.map(({ job }) => job.id) : none,
    resolved: progress.resolved,
    started: filtered(jobs, (job) => job !== heir),
    reused: heir && { ...heir, id: included[0]!.job.id },
    wake: progress.wake ? wakeOf(runtime, workflow) : undefined,
  };
}

/** Where a step has ended here, one that begins here takes the row of its job. */
function heirOf({ included }: Plan, jobs: readonly NewJob[]): NewJob | undefined {
  const row = included.length === 1 ? included[0]!.job : undefined;
  return row && jobs.find((job) => fits(job, row));
}

/**
 * Whether a job may take the row of one that has ended: what the row is found by stays as it is, or
 * it would have to move.
 */
function fits({ owned, queue, priority }: NewJob, row: OwnedJob): boolean {
  return owned && row.kind === "execute" && queue === row.queue && priority === row.priority;
}

/**
 * Gives back what is held for jobs that were to begin. Whoever has ended keeps its slot until it is
 * done.
 */
export function takeBack({ taken }: HandedOver): void {
  for (const slot of taken) slot.release();
}

/** A new job that has begun in a process, as that process sees it. `token` is that of its row. */
export function begun(job: NewJob, process: string, slot: Slot, token = 1): OwnedJob {
  return {
    id: job.id,
    process,
    slot,
    kind: job.kind,
    workflow: job.workflow,
    version: job.version,
    instance: job.instance,
    step: job.step,
    queue: job.queue,
    priority: job.priority,
    maxAttempts: job.maxAttempts,
    attempt: 1,
    token,
    deaths: 0,
    errors: none,
    args: undefined,
  };
}
