import type { JsonObject } from "../core/json.ts";
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

/** What every job says of its instance. */
export interface JobOwner {
  readonly id: string;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
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
  parts: Pick<Parts, "queues" | "retry">,
  workflow: Workflow,
  owner: JobOwner,
  { started, waiting }: Starting,
  place: Placement,
): readonly NewJob[] {
  const maker = new JobMaker(parts, workflow, owner, place);
  const jobs: NewJob[] = [];
  for (const name of started) {
    const step = workflow.steps.get(name);
    if (step?.kind === "step") jobs.push(maker.execute(step));
    else if (step?.kind === "timer") jobs.push(maker.timer(step, "elapsed", step.after ?? 0));
    else if (step?.expires !== undefined) jobs.push(maker.timer(step, "expired", step.expires));
  }
  for (const name of waiting) {
    const step = workflow.steps.get(name);
    if (step?.expires !== undefined) jobs.push(maker.timer(step, "expired", step.expires));
  }
  return jobs;
}

class JobMaker {
  readonly #parts: Pick<Parts, "queues" | "retry">;
  readonly #workflow: Workflow;
  readonly #owner: JobOwner;
  readonly #place: Placement;
  readonly #metadata: string | undefined;

  constructor(
    parts: Pick<Parts, "queues" | "retry">,
    workflow: Workflow,
    owner: JobOwner,
    place: Placement,
  ) {
    this.#parts = parts;
    this.#workflow = workflow;
    this.#owner = owner;
    this.#place = place;
    this.#metadata = textOf(owner.metadata);
  }

  execute(step: StepDefinition): NewJob {
    const queue = step.queue ?? this.#parts.queues.execute;
    const maxAttempts = attemptsOf(step.retry, this.#workflow.retry, this.#parts.retry);
    return this.#job("execute", step, queue, maxAttempts, 0, this.#place.begins(queue), undefined);
  }

  timer(step: StepDefinition, event: string, delay: number): NewJob {
    const args = JSON.stringify({ event });
    return this.#job("resume", step, this.#parts.queues.resume, undefined, delay, false, args);
  }

  #job(
    kind: string,
    step: StepDefinition,
    queue: string,
    maxAttempts: number | undefined,
    delay: number,
    owned: boolean,
    args: string | undefined,
  ): NewJob {
    return {
      id: this.#place.id(),
      kind,
      workflow: this.#workflow.name,
      version: this.#workflow.version,
      instance: this.#owner.id,
      step: step.name,
      queue,
      priority: step.priority ?? usualPriority,
      maxAttempts,
      delay,
      owned,
      tags: this.#owner.tags,
      metadata: this.#metadata,
      args,
    };
  }
}

/** The text of metadata, without an object that is empty. */
export function textOf(metadata: JsonObject): string | undefined {
  for (const _ in metadata) return JSON.stringify(metadata);
  return undefined;
}
