import { encodeControl } from "../core/control.ts";
import type { Workflow } from "../core/workflow.ts";
import type { NewJob } from "../queue/job.ts";
import type { Unprocessed } from "../store/store.ts";
import type { Pass, Turn } from "../store/turn.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import type { Cached } from "./instances.ts";
import { idsFor, jobsOf, type Placement } from "./new_jobs.ts";
import { load, type Outputs } from "./outputs.ts";
import type { Parts } from "./parts.ts";
import {
  changes,
  type Computed,
  computeTurn,
  type Ended,
  MissingOutputs,
  thrown,
  wakeOf,
} from "./turns.ts";

/** A job whose turn is to be written. */
export interface Submission {
  readonly job: OwnedJob;
  readonly ended: Ended | undefined;
  readonly tries: number;
}

/** The turn of one instance. */
export interface Plan {
  readonly instance: string;
  readonly workflow: Workflow;
  readonly outputs: Outputs;
  readonly computed: Computed;
  /** Those whose jobs are done once the turn is written. */
  readonly included: readonly Submission[];
}

/** What becomes of everything that one instance has waiting. */
export interface Planned {
  readonly plan: Plan | undefined;
  /** Those that have nothing to write: their step is over, or their instance final. */
  readonly dropped: readonly Submission[];
  /** What they found and nobody will read. */
  readonly ignored: Pass["ignored"];
}

const none: readonly never[] = [];

/** Computes the turn of one instance, as this process knows it. Throws {@linkcode MissingOutputs}. */
function plan(
  parts: Parts,
  cached: Cached | undefined,
  submissions: readonly Submission[],
  unprocessed: readonly Unprocessed[],
): Planned {
  if (cached === undefined) return { plan: undefined, dropped: submissions, ignored: unprocessed };
  const { instance, workflow: name, version } = submissions[0]!.job;
  const { known, outputs } = cached;
  const workflow = parts.registry.get(name, version);
  const isLive = ({ ended }: Submission) => !ended || known.control.active.has(ended.step);
  const allLive = submissions.every(isLive);
  const included = allLive ? submissions : submissions.filter(isLive);
  const input = {
    workflow,
    known,
    outputs,
    ended: endedIn(included),
    unprocessed,
  };
  const computed = computeTurn(parts, input);
  if (!changes(known, computed)) return { plan: undefined, dropped: submissions, ignored: none };
  return {
    plan: { instance, workflow, outputs, computed, included },
    dropped: allLive ? none : submissions.filter((submission) => !isLive(submission)),
    ignored: none,
  };
}

function endedIn(submissions: readonly Submission[]): readonly Ended[] {
  const [first] = submissions;
  if (submissions.length === 1 && first?.ended !== undefined) return [first.ended];
  return submissions.flatMap(({ ended }) => ended ?? none);
}

/** Plans a turn; loads the outputs that its choices read where they are not here. */
export function planOrLoad(...of: Parameters<typeof plan>): Planned | Promise<Planned> {
  try {
    return plan(...of);
  } catch (error) {
    if (error instanceof MissingOutputs) return planLoading(error, ...of);
    throw error;
  }
}

async function planLoading(
  { steps }: MissingOutputs,
  ...of: Parameters<typeof plan>
): Promise<Planned> {
  const [parts, cached] = of;
  const before = cached?.outputs.size;
  if (cached) await load(parts.backend.store, cached.known.id, cached.outputs, steps);
  if (cached?.outputs.size === before) throw new MissingOutputs(steps);
  return planOrLoad(...of);
}

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
  let count = 0;
  for (const { computed } of plans) count += idsFor(computed.progress);
  const ids = await parts.ids.take(count);
  const here = parts.inline && host.accepting;
  let next = 0;
  const place: Placement = {
    id: () => ids[next++] ?? "",
    begins: (queue) => here && !host.yields(queue) && host.slots.take(queue),
  };
  return plans.map((plan) => {
    for (const { job } of plan.included) host.slots.release(job.queue);
    return { plan, turn: turnOf(parts, plan, jobsOf(parts, plan, plan.computed.progress, place)) };
  });
}

function turnOf(parts: Parts, plan: Plan, started: readonly NewJob[]): Turn {
  const { workflow, included, computed: { next, progress, metadata, recorded, processed } } = plan;
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
    settled: included.map(({ job }) => job.id),
    resolved: progress.resolved,
    started,
    wake: progress.wake ? wakeOf(parts, workflow) : undefined,
  };
}

/** The turn was not written: the slots go back. */
export function takeBack({ slots }: Host, { plan, turn }: Ready): void {
  for (const { owned, queue } of turn.started) if (owned) slots.release(queue);
  for (const { job } of plan.included) slots.hold(job.queue);
}

/** A new job that has begun in a process, as that process sees it. */
export function begun(job: NewJob, process: string): OwnedJob {
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
    token: 1,
    errors: none,
    args: undefined,
  };
}

/** The leases of the jobs that found nothing to write. */
export function passes({ dropped, ignored }: Planned): readonly Pass[] {
  return dropped.map(({ job }, index) => ({
    lease: leaseOf(job),
    instance: job.instance,
    ignored: index === 0 ? ignored : [],
  }));
}
