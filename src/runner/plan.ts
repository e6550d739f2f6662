import type { Workflow } from "../core/workflow.ts";
import type { Unprocessed } from "../store/store.ts";
import type { Pass, Turn } from "../store/turn.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import type { Cached } from "./instances.ts";
import { type Draft, identified, jobsOf } from "./new_jobs.ts";
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

/** Computes the turn of one instance, as this process knows it. */
export async function plan(
  parts: Parts,
  cached: Cached | undefined,
  submissions: readonly Submission[],
  unprocessed: readonly Unprocessed[],
): Promise<Planned> {
  const { instance, workflow: name, version } = submissions[0]!.job;
  const outputs = cached?.outputs ?? new Map();
  if (cached === undefined) return { plan: undefined, dropped: submissions, ignored: unprocessed };
  const { known } = cached;
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
  const computed = await withOutputs(parts, instance, outputs, () => computeTurn(parts, input));
  if (!changes(known, computed)) return { plan: undefined, dropped: submissions, ignored: [] };
  return {
    plan: { instance, workflow, outputs, computed, included },
    dropped: submissions.filter((submission) => !isLive(submission)),
    ignored: [],
  };
}

/** Computes; loads what a choice reads and computes again when it was not here. */
export async function withOutputs<T>(
  parts: Pick<Parts, "backend">,
  instance: string,
  outputs: Outputs,
  compute: () => T,
): Promise<T> {
  for (let before = -1;;) {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof MissingOutputs) || outputs.size === before) throw error;
      before = outputs.size;
      await load(parts.backend.store, instance, outputs, error.steps);
    }
  }
}

/** A turn with its jobs, some of them handed over to this process: they have their slots already. */
export interface Ready {
  readonly plan: Plan;
  readonly turn: Turn;
  /** The turn was not written: the slots go back. */
  takeBack(): void;
  /** The turn was written: the jobs that this process now runs. */
  handOver(): readonly OwnedJob[];
}

/** Gives each turn its jobs. A job whose step has ended passes its slot on to what it starts. */
export async function turnOf(
  parts: Parts,
  host: Host,
  plans: readonly Plan[],
): Promise<readonly Ready[]> {
  const drafts = plans.map((plan) => startedBy(parts, host, plan));
  const jobs = await identified(parts, drafts.flat());
  const { process } = host;
  let from = 0;
  return plans.map((plan, index) => {
    const started = jobs.slice(from, from += drafts[index]!.length);
    const owned = started.filter((job) => job.owned);
    return {
      plan,
      turn: { ...plan.computed.turn, started },
      takeBack() {
        for (const { queue } of owned) host.slots.release(queue);
        for (const { job } of plan.included) host.slots.hold(job.queue);
      },
      handOver: () =>
        owned.map((job) => ({ ...job, process, attempt: 1, errors: [], args: undefined })),
    };
  });
}

function startedBy(
  parts: Parts,
  host: Host,
  { computed, workflow, included }: Plan,
): readonly Draft[] {
  for (const { job } of included) host.slots.release(job.queue);
  const { next, progress } = computed;
  return jobsOf(parts, workflow, next, progress).map((draft) => {
    const here = parts.inline && host.accepting && draft.kind === "execute" &&
      !host.yields(draft.queue);
    return here && host.slots.take(draft.queue) ? { ...draft, owned: true } : draft;
  });
}

/** The leases of the jobs that found nothing to write. */
export function passes({ dropped, ignored }: Planned): readonly Pass[] {
  return dropped.map(({ job }, index) => ({
    lease: leaseOf(job),
    instance: job.instance,
    ignored: index === 0 ? ignored : [],
  }));
}
