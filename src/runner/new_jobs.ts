import { attemptsOf } from "../core/retry.ts";
import type { StepDefinition } from "../core/step.ts";
import type { Workflow } from "../core/workflow.ts";
import type { JobId, NewJob } from "../queue/job.ts";
import type { Parts } from "./parts.ts";

/** Where new jobs go: each needs an id, and may begin in this process at once. */
export interface Placement {
  /** The next id of those that were reserved. */
  id(): JobId;
  /** Whether a job of this queue begins here; takes a slot for it then. */
  begins(queue: string): boolean;
}

/** The steps of a turn that need jobs. */
export interface Starting {
  readonly started: readonly string[];
  readonly waiting: readonly string[];
}

/** The priority of jobs that do not say. */
export const usualPriority = 5;

/** How many ids the jobs of a turn may take. */
export function idsFor({ started, waiting }: Starting): number {
  return started.length + waiting.length;
}

/** The jobs that steps which have just started need: code to be run, or a time to be waited for. */
export function jobsOf(
  { queues, retry }: Pick<Parts, "queues" | "retry">,
  workflow: Workflow,
  instance: string,
  { started, waiting }: Starting,
  place: Placement,
): readonly NewJob[] {
  const jobs: NewJob[] = [];
  const add = (
    step: StepDefinition,
    of: Pick<NewJob, "kind" | "queue" | "maxAttempts" | "delay" | "owned" | "args">,
  ) =>
    jobs.push({
      id: place.id(),
      kind: of.kind,
      workflow: workflow.name,
      version: workflow.version,
      instance,
      step: step.name,
      queue: of.queue,
      priority: step.priority ?? usualPriority,
      maxAttempts: of.maxAttempts,
      delay: of.delay,
      owned: of.owned,
      args: of.args,
    });
  const execute = (step: StepDefinition) => {
    const queue = step.queue ?? queues.execute;
    const maxAttempts = attemptsOf(step.retry, workflow.retry, retry);
    const owned = place.begins(queue);
    add(step, { kind: "execute", queue, maxAttempts, delay: 0, owned, args: undefined });
  };
  const timer = (step: StepDefinition, event: string, delay: number) => {
    const args = JSON.stringify({ event });
    const { resume: queue } = queues;
    add(step, { kind: "resume", queue, maxAttempts: undefined, delay, owned: false, args });
  };
  for (const name of started) {
    const step = workflow.steps.get(name);
    if (step?.kind === "step") execute(step);
    else if (step?.kind === "timer") timer(step, "elapsed", step.after ?? 0);
    else if (step?.expires !== undefined) timer(step, "expired", step.expires);
  }
  for (const name of waiting) {
    const step = workflow.steps.get(name);
    if (step?.expires !== undefined) timer(step, "expired", step.expires);
  }
  return jobs;
}
