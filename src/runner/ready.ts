import { encodeControl } from "../core/control.ts";
import { filtered } from "../core/filtered.ts";
import type { NewJob } from "../queue/job.ts";
import type { Turn } from "../store/turn.ts";
import type { Host, OwnedJob } from "./host.ts";
import { jobsOf, placement } from "./new_jobs.ts";
import type { Parts } from "./parts.ts";
import type { Plan } from "./plan.ts";
import { thrown, wakeOf } from "./turns.ts";

/** A turn with its jobs, some of them handed over to this process: they have their slots already. */
export interface Ready {
  readonly plan: Plan;
  readonly turn: Turn;
}

/** Gives turns their jobs. A job whose step has ended passes its slot on to what it starts. */
export async function ready(
  parts: Parts,
  host: Host,
  plans: readonly Plan[],
): Promise<readonly Ready[]> {
  const turns = plans.map(({ computed }) => computed.progress);
  const place = await placement(
    parts,
    turns,
    (queue) => parts.inline && host.accepting && !host.yields(queue) && host.slots.take(queue),
  );
  return plans.map((plan) => {
    for (const { job } of plan.included) host.slots.release(job.queue);
    return { plan, turn: turnOf(parts, plan, jobsOf(parts, plan, plan.computed.progress, place)) };
  });
}

const none: readonly never[] = [];

function turnOf(parts: Parts, plan: Plan, jobs: readonly NewJob[]): Turn {
  const { workflow, included, computed: { next, progress, metadata, recorded, processed } } = plan;
  const heir = heirOf(plan, jobs);
  return {
    instance: plan.instance,
    version: next.version,
    revision: next.revision - 1,
    status: next.status,
    control: encodeControl(next.control),
    metadata,
    error: thrown(progress),
    recorded,
    processed,
    settled: heir === undefined ? included.map(({ job }) => job.id) : none,
    resolved: progress.resolved,
    started: filtered(jobs, (job) => job !== heir),
    reused: heir && { ...heir, id: included[0]!.job.id },
    wake: progress.wake ? wakeOf(parts, workflow) : undefined,
  };
}

/** Where a step has ended here, one that begins here takes the row of its job. */
function heirOf({ included }: Plan, jobs: readonly NewJob[]): NewJob | undefined {
  const row = included.length === 1 ? included[0]!.job : undefined;
  return row && jobs.find((job) => fits(job, row));
}

/** Whether a job may take the row of one that has ended: what the row is found by stays as it is, or it would have to move. */
function fits({ owned, queue, priority }: NewJob, row: OwnedJob): boolean {
  return owned && row.kind === "execute" && queue === row.queue && priority === row.priority;
}

/** The turn was not written: the slots go back. */
export function takeBack({ slots }: Host, { plan, turn }: Ready): void {
  for (const { owned, queue } of turn.started) if (owned) slots.release(queue);
  if (turn.reused) slots.release(turn.reused.queue);
  for (const { job } of plan.included) slots.hold(job.queue);
}

/** A new job that has begun in a process, as that process sees it. `token` is that of its row. */
export function begun(job: NewJob, process: string, token = 1): OwnedJob {
  return {
    id: job.id,
    process,
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
    errors: none,
    args: undefined,
  };
}
