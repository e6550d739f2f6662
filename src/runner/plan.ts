import type { Workflow } from "../core/workflow.ts";
import type { NewJob } from "../queue/job.ts";
import type { Unprocessed } from "../store/store.ts";
import type { Pass, Turn } from "../store/turn.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import type { Cached } from "./instances.ts";
import { idsFor, jobsOf } from "./new_jobs.ts";
import { load, type Outputs } from "./outputs.ts";
import type { Parts } from "./parts.ts";
import { changes, type Computed, computeTurn, type Ended, MissingOutputs } from "./turns.ts";

/** A job whose turn is to be written. */
export interface Submission {
  readonly job: OwnedJob;
  readonly ended: Ended | undefined;
  readonly tries: number;
  readonly resolve: () => void;
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
  const included = submissions.filter(isLive);
  const input = {
    workflow,
    known,
    outputs,
    ended: included.flatMap(({ ended }) => ended ?? []),
    unprocessed,
    settled: included.map(({ job }) => job.id),
  };
  const computed = computeTurn(parts, input);
  if (!changes(known, computed)) return { plan: undefined, dropped: submissions, ignored: [] };
  return {
    plan: { instance, workflow, outputs, computed, included },
    dropped: included.length === submissions.length
      ? []
      : submissions.filter((submission) => !isLive(submission)),
    ignored: [],
  };
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
export class Ready {
  readonly plan: Plan;
  readonly turn: Turn;
  readonly #host: Host;
  readonly #process: string;

  /** Gives a turn its jobs. A job whose step has ended passes its slot on to what it starts. */
  constructor(parts: Parts, host: Host, plan: Plan, ids: Iterator<string>) {
    const { computed: { turn, progress }, workflow, included } = plan;
    for (const { job } of included) host.slots.release(job.queue);
    const here = parts.inline && host.accepting;
    const started = jobsOf(parts, workflow, plan.instance, progress, {
      id: () => ids.next().value ?? "",
      begins: (queue) => here && !host.yields(queue) && host.slots.take(queue),
    });
    this.plan = plan;
    this.turn = { ...turn, started };
    this.#host = host;
    this.#process = host.process;
  }

  /** The turn was not written: the slots go back. */
  takeBack(): void {
    for (const { owned, queue } of this.turn.started) if (owned) this.#host.slots.release(queue);
    for (const { job } of this.plan.included) this.#host.slots.hold(job.queue);
  }

  /** The turn was written: the jobs that this process now runs. */
  handOver(): readonly OwnedJob[] {
    return begun(this.turn.started, this.#process);
  }
}

/** Those of new jobs that have begun in a process, as it sees them. */
export function begun(jobs: readonly NewJob[], process: string): readonly OwnedJob[] {
  const owned: OwnedJob[] = [];
  for (const job of jobs) {
    if (!job.owned) continue;
    owned.push({
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
      errors: [],
      args: undefined,
    });
  }
  return owned;
}

/** Gives turns their jobs. */
export async function ready(
  parts: Parts,
  host: Host,
  plans: readonly Plan[],
): Promise<readonly Ready[]> {
  const count = plans.reduce((sum, { computed }) => sum + idsFor(computed.progress), 0);
  const ids = (await parts.ids.take(count)).values();
  return plans.map((plan) => new Ready(parts, host, plan, ids));
}

/** The leases of the jobs that found nothing to write. */
export function passes({ dropped, ignored }: Planned): readonly Pass[] {
  return dropped.map(({ job }, index) => ({
    lease: leaseOf(job),
    instance: job.instance,
    ignored: index === 0 ? ignored : [],
  }));
}
