import type { NewJob, WithDeadline } from "../../backend/job.ts";
import type { Turn } from "../../backend/turn.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { encodeControl } from "../../core/engine/control.ts";
import { filtered } from "../../core/value/filtered.ts";
import { FAILED } from "../../core/engine/progress.ts";
import type { FailureForm } from "../../core/value/failure.ts";
import type { Due } from "../../core/value/time.ts";
import type { Slot, SlotHold } from "../claim/slots.ts";
import { listsIn } from "../each/outcomes.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import { jobsOf, placement } from "./new_jobs.ts";
import { failureOf, type Plan, type Submission, wakeOf } from "./plan.ts";

const none: readonly never[] = [];

/**
 * Assigns jobs to turns. A job whose step has ended passes its slot to a step that it starts, once
 * the turn is written. Other steps that begin take one of `slots`. `form` sets how much of a
 * failure is written.
 */
export async function handOver(
  runtime: Runtime,
  host: Host,
  slots: SlotHold,
  plans: readonly Plan[],
  form: FailureForm = "whole",
): Promise<readonly Turn[]> {
  let left: string[] = [];
  const place = await placement(runtime, plans.map(({ progress }) => progress), (queue) => {
    if (!runtime.inline || !host.accepting || host.yields(queue)) return false;
    return removed(left, queue) || slots.take(queue);
  });
  return plans.map((plan) => {
    left = plan.included.map(({ job }) => job.queue);
    const subject = { workflow: plan.workflow, instance: plan.next.id };
    return turnOf(runtime, plan, jobsOf(runtime, subject, plan.progress, place), form);
  });
}

/** Removes one occurrence, without keeping the order. */
function removed(queues: string[], queue: string): boolean {
  const at = queues.indexOf(queue);
  if (at < 0) return false;
  const last = queues.pop()!;
  if (at < queues.length) queues[at] = last;
  return true;
}

function turnOf(
  runtime: Runtime,
  { workflow, next, progress, metadata, recorded, processed, others, included }: Plan,
  jobs: readonly NewJob[],
  form: FailureForm,
): Turn {
  const heir = heirOf(included, jobs);
  const failure = failureOf(progress, form);
  const ends = failure !== undefined && isFinal(next.status);
  const bare = form === "bare" && ends;
  const discarded = !ends || bare ? none : included.filter(hasFailed);
  const settled = discarded.length === 0 ? included : included.filter((one) => !hasFailed(one));
  return {
    instance: next.id,
    version: next.version,
    revision: next.revision - 1,
    status: next.status,
    control: encodeControl(next.control),
    metadata,
    error: failure && JSON.stringify(failure),
    recorded: bare ? filtered(recorded, ({ result }) => result.event !== FAILED) : recorded,
    processed,
    settled: heir === undefined ? settled.map(({ job }) => job.id) : none,
    discarded: discarded.map(({ job, result }) => ({ id: job.id, errors: result?.result.errors })),
    resolved: progress.withdrawn.length === 0
      ? progress.resolved
      : [...progress.resolved, ...progress.withdrawn],
    emptied: progress.withdrawn.length === 0
      ? undefined
      : listsIn(workflow.graph, progress.withdrawn),
    started: filtered(jobs, (job) => job !== heir),
    reused: heir && { ...heir, id: included[0]!.job.id },
    wake: progress.wake ? wakeOf(runtime, workflow) : undefined,
    bare,
    others,
  };
}

function hasFailed({ result }: Submission): boolean {
  return result?.event === FAILED;
}

/** If a step has ended here, one that begins here reuses the row of its job. */
function heirOf(included: readonly Submission[], jobs: readonly NewJob[]): NewJob | undefined {
  const row = included.length === 1 ? included[0]!.job : undefined;
  return row && jobs.find((job) => fits(job, row));
}

/**
 * Whether a job may reuse the row of one that has ended. Its indexed columns must not change, or
 * the update would have to write new index entries.
 */
function fits({ owned, queue, priority }: NewJob, row: OwnedJob): boolean {
  return owned && row.kind === "execute" && queue === row.queue && priority === row.priority;
}

/**
 * A new job that has begun in a process, as that process sees it. It was written at the time `at`
 * of the store. `token` is the token of its row.
 */
export function begun(job: NewJob, process: string, slot: Slot, at: Date, token = 1): OwnedJob {
  return {
    id: job.id,
    process,
    slot,
    kind: job.kind,
    workflow: job.workflow,
    version: job.version,
    instance: job.instance,
    step: job.step,
    activation: job.activation,
    queue: job.queue,
    priority: job.priority,
    maxAttempts: job.maxAttempts,
    attempt: 1,
    at: at.getTime(),
    token,
    deaths: 0,
    errors: none,
    args: job.deadline === undefined ? undefined : deadlineFrom(job.deadline, at),
  };
}

function deadlineFrom(deadline: Due, at: Date): WithDeadline {
  return { deadline: typeof deadline === "number" ? at.getTime() + deadline : deadline.getTime() };
}

/** How long until a new job is due that was written at the time `at` of the store. */
export function delayOf({ delay, due }: NewJob, at: Date): number {
  return due === undefined ? delay : Math.max(0, due.getTime() - at.getTime());
}
