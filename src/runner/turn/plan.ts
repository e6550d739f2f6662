import { filtered } from "../../core/engine/filtered.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import type { UnreadResult } from "../../backend/store.ts";
import type { Pass } from "../../backend/turn.ts";
import { leaseOf, type OwnedJob } from "../host.ts";
import type { CachedInstance } from "./instance_cache.ts";
import { load, type OutputCache } from "../run/inputs.ts";
import type { Runtime } from "../runtime.ts";
import {
  changes,
  type Computed,
  computeTurn,
  type LocalResult,
  MissingOutputs,
} from "./compute_turn.ts";

/** A job whose turn is to be written. */
export interface Submission {
  readonly job: OwnedJob;
  readonly ended: LocalResult | undefined;
  readonly tries: number;
}

/** The turn of one instance. */
export interface Plan {
  readonly instance: string;
  readonly workflow: Workflow;
  readonly outputs: OutputCache;
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

/**
 * Computes the turn of one instance, as this process knows it. Throws {@linkcode MissingOutputs}.
 */
function plan(
  runtime: Runtime,
  cached: CachedInstance | undefined,
  submissions: readonly Submission[],
  unprocessed: readonly UnreadResult[],
): Planned {
  if (cached === undefined) return { plan: undefined, dropped: submissions, ignored: unprocessed };
  const { instance, workflow: name, version } = submissions[0]!.job;
  const { known, outputs } = cached;
  const workflow = runtime.registry.get(name, version);
  const isLive = ({ ended }: Submission) => !ended || known.control.active.has(ended.step);
  const included = filtered(submissions, isLive);
  const input = {
    workflow,
    known,
    outputs,
    ended: filtered(included, hasEnded).map(({ ended }) => ended),
    unprocessed,
    deaths: deathsOf(submissions),
  };
  const computed = computeTurn(runtime, input);
  if (!changes(known, computed)) return { plan: undefined, dropped: submissions, ignored: none };
  return {
    plan: { instance, workflow, outputs, computed, included },
    dropped: filtered(submissions, (submission) => !isLive(submission)),
    ignored: none,
  };
}

/** How often the process of an advance died; a step that has ended did not kill its own. */
function deathsOf(submissions: readonly Submission[]): number {
  let most = 0;
  for (const { job, ended } of submissions) {
    if (ended === undefined && job.deaths > most) most = job.deaths;
  }
  return most;
}

function hasEnded(
  submission: Submission,
): submission is Submission & { readonly ended: LocalResult } {
  return submission.ended !== undefined;
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
  const [runtime, cached] = of;
  const before = cached?.outputs.size;
  if (cached) await load(runtime.backend.store, cached.known.id, cached.outputs, steps);
  if (cached?.outputs.size === before) throw new MissingOutputs(steps);
  return planOrLoad(...of);
}

/** The leases of the jobs that found nothing to write. */
export function passes({ dropped, ignored }: Planned): readonly Pass[] {
  return dropped.map(({ job }, index) => ({
    lease: leaseOf(job),
    instance: job.instance,
    ignored: index === 0 ? ignored : [],
  }));
}
