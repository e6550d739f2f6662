import { resolveRetry } from "../core/retry.ts";
import type { StepDefinition } from "../core/step.ts";
import type { JsonObject } from "../core/json.ts";
import type { Workflow } from "../core/workflow.ts";
import type { NewJob } from "../queue/job.ts";
import type { Parts } from "./parts.ts";

/** A job without its id, which is taken once it is known how many there are. */
export type Draft = Omit<NewJob, "id">;

/** What every job says of its instance. */
export interface JobOwner {
  readonly id: string;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
}

/** The priority of jobs that do not say. */
export const usualPriority = 5;

/** The jobs that steps which have just started need: code to be run, or a time to be waited for. */
export function jobsOf(
  parts: Pick<Parts, "queues" | "retry">,
  workflow: Workflow,
  owner: JobOwner,
  progress: { readonly started: readonly string[]; readonly waiting: readonly string[] },
): readonly Draft[] {
  const metadata = Object.keys(owner.metadata).length > 0
    ? JSON.stringify(owner.metadata)
    : undefined;
  const job = (step: StepDefinition): Draft => ({
    kind: "execute",
    workflow: workflow.name,
    version: workflow.version,
    instance: owner.id,
    step: step.name,
    queue: step.queue ?? parts.queues.execute,
    priority: step.priority ?? usualPriority,
    maxAttempts: resolveRetry(step.retry, workflow.retry, parts.retry).attempts,
    delay: 0,
    owned: false,
    tags: owner.tags,
    metadata,
    args: undefined,
  });
  const timer = (step: StepDefinition, event: string, delay: number): Draft => ({
    ...job(step),
    kind: "resume",
    queue: parts.queues.resume,
    maxAttempts: undefined,
    delay,
    args: JSON.stringify({ event }),
  });
  const drafts: Draft[] = [];
  for (const name of progress.started) {
    const step = workflow.steps.get(name);
    if (step?.kind === "step") drafts.push(job(step));
    if (step?.kind === "timer") drafts.push(timer(step, "elapsed", step.after ?? 0));
    if (step?.kind === "signal" && step.expires !== undefined) {
      drafts.push(timer(step, "expired", step.expires));
    }
  }
  for (const name of progress.waiting) {
    const step = workflow.steps.get(name);
    if (step?.expires !== undefined) drafts.push(timer(step, "expired", step.expires));
  }
  return drafts;
}

/** The drafts as jobs. */
export async function identified(
  parts: Pick<Parts, "ids">,
  drafts: readonly Draft[],
): Promise<readonly NewJob[]> {
  const ids = await parts.ids.take(drafts.length);
  return drafts.map((draft, index) => ({ ...draft, id: ids[index]! }));
}
