import { type Failure, failure } from "../core/failure.ts";
import type { Logger } from "../core/logger.ts";
import type { AboutAttempt, AboutInstance, AboutJob } from "../core/telemetry.ts";
import type { Telemetry } from "../queue/telemetry.ts";
import type { Known } from "../store/store.ts";
import type { OwnedJob } from "./host.ts";
import type { Plan } from "./plan.ts";

/** What events say of an instance. */
export function aboutInstance({ id, workflow, version, key }: Known): AboutInstance {
  return { instance: id, workflow, version, key };
}

/** What events say of an attempt. */
export function aboutAttempt(known: Known, job: OwnedJob): AboutAttempt {
  return { ...aboutInstance(known), step: job.step ?? "", job: job.id, attempt: job.attempt };
}

/** What events say of a job. */
export function aboutJob(job: OwnedJob): AboutJob {
  const { id, kind, queue, workflow, version, instance, step, attempt } = job;
  return { job: id, kind, queue, workflow, version, instance, step, attempt };
}

/** Says that an instance has failed, and in which step. */
export function sayFailed(
  logger: Logger,
  { id, workflow, version, key }: Pick<Known, "id" | "workflow" | "version" | "key">,
  of: { readonly step: string | undefined; readonly attempts: number; readonly error: Failure },
): void {
  const { step, attempts, error } = of;
  const times = attempts === 1 ? "" : ` in each of ${attempts} attempts`;
  logger.error(`Workflow "${workflow}" "${key}" has failed: step "${step}" failed${times}`, {
    workflow,
    version,
    key,
    instance: id,
    step,
    attempts,
    error,
  });
}

/** Says that an instance cannot be moved on by the process that has run the step. */
export function sayRefused(
  logger: Logger,
  { workflow, version, instance, step }: OwnedJob,
  key: string | undefined,
  error: unknown,
): void {
  logger.warn(
    "Cannot move an instance on: the database refuses it, the result of the step is recorded first",
    { workflow, version, key, instance, step, error: failure(error) },
  );
}

/** Tells listeners of a turn that was written. Payloads are made for those who listen. */
export function observe(telemetry: Telemetry, plan: Plan): void {
  const { next, progress } = plan.computed;
  if (telemetry.has("workflow:transition")) tellTransitions(telemetry, plan);
  if (telemetry.has("advance")) {
    telemetry.emit("advance", {
      ...aboutInstance(next),
      revision: next.revision,
      status: next.status,
      results: progress.applied.length,
      started: progress.started,
      inline: plan.included.every(({ ended }) => ended !== undefined),
    });
  }
  if (next.status === "completed" && telemetry.has("workflow:stop")) {
    const { status } = next;
    telemetry.emit("workflow:stop", { ...aboutInstance(next), status, duration: undefined });
  }
  if (progress.thrown !== undefined && telemetry.has("workflow:exception")) {
    const error = failure(progress.thrown.error);
    telemetry.emit("workflow:exception", { ...aboutInstance(next), error, duration: undefined });
  }
}

function tellTransitions(telemetry: Telemetry, { computed, workflow }: Plan): void {
  const { next, progress } = computed;
  for (const { ending: { step, event, activation } } of progress.applied) {
    if (activation < 0) continue;
    const targets = workflow.graph.steps.get(step)?.moves.get(event) ?? [];
    const started = targets.map(({ to }) => to).filter((to) => progress.started.includes(to));
    telemetry.emit("workflow:transition", { ...aboutInstance(next), step, event, started });
  }
}
