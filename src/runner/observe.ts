import { deadlineStep } from "../backend/job.ts";
import type { InstanceState } from "../backend/store.ts";
import type { NewResult } from "../backend/turn.ts";
import { eachOf, isItem } from "../core/each/items.ts";
import { stepOf } from "../core/engine/activation.ts";
import {
  type Control,
  type InstanceStatus,
  isFinal,
  type UndoReason,
} from "../core/engine/instance.ts";
import { FAILED, LATER, type Progress } from "../core/engine/progress.ts";
import type { AboutAttempt, AboutInstance, AboutJob, StepResume } from "../core/events.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { type Failure, failure } from "../core/value/failure.ts";
import type { Logger } from "../observe/logger.ts";
import type { Telemetry } from "../observe/telemetry.ts";
import type { OwnedJob } from "./host.ts";
import type { Attempt } from "./run/attempt.ts";
import type { LocalResult } from "./run/outcome.ts";
import type { Plan } from "./turn/plan.ts";

/** What events report about an instance. */
export function aboutInstance(
  { id, workflow, version, key }: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
): AboutInstance {
  return { instance: id, workflow, version, key };
}

/** What events report about an attempt. */
export function aboutAttempt(state: InstanceState, job: OwnedJob): AboutAttempt {
  return { ...aboutInstance(state), step: job.step ?? "", job: job.id, attempt: job.attempt };
}

/** What events report about a job. */
export function aboutJob(job: OwnedJob): AboutJob {
  const { id, kind, queue, workflow, version, instance, step, attempt } = job;
  return { job: id, kind, queue, workflow, version, instance, step, attempt };
}

/** Logs that an instance has failed, and in which step. */
export function logFailure(
  logger: Logger,
  { id, workflow, version, key }: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
  of: { readonly step: string | undefined; readonly attempts: number; readonly error: Failure },
): void {
  const { step, attempts, error } = of;
  const times = attempts === 1 ? "" : ` in all ${attempts} attempts`;
  const why = error.code === "ROUNDS_USED_UP"
    ? `the rounds of a loop are used up after step "${step}"`
    : error.code === "UNDO_FAILED"
    ? "not everything could be undone"
    : step === deadlineStep
    ? `its deadline ${error.code === "DEADLINE" ? "has passed" : "cannot be computed"}`
    : `step "${step}" failed${times}`;
  logger.error(`Workflow "${workflow}" "${key}" failed: ${why}`, {
    workflow,
    version,
    key,
    instance: id,
    step,
    attempts,
    error,
  });
}

/** Logs that the process that ran a step cannot advance its instance. */
export function logRefusal(
  logger: Logger,
  { workflow, version, instance, step }: OwnedJob,
  key: string | undefined,
  error: unknown,
): void {
  logger.warn(
    "Cannot advance an instance directly: the database rejected it. The result of the step is recorded, and a job applies it",
    { workflow, version, key, instance, step, error: failure(error) },
  );
}

/**
 * Emits the events of a committed turn, with a time from the store's clock. Builds payloads only
 * for events that have listeners.
 */
export function observe(
  telemetry: Telemetry,
  { included, workflow, next, progress, begins }: Plan,
  error: Failure | undefined,
  at: Date,
): void {
  for (const { job, result } of included) {
    if (result?.failure) emitDiscard(telemetry, job, result.failure);
  }
  if (telemetry.has("step:resume")) emitTimers(telemetry, next, included);
  emitProgress(telemetry, next, workflow, progress);
  if (begins) emitUndo(telemetry, next, begins);
  if (telemetry.has("advance")) {
    telemetry.emit("advance", {
      ...aboutInstance(next),
      revision: next.revision,
      status: next.status,
      results: progress.applied.length,
      started: progress.started.map(({ step }) => step),
      inline: included.every(({ result }) => result !== undefined),
    });
  }
  if (isFinal(next.status)) emitEnd(telemetry, next, { status: next.status, error, at });
}

/** Emits how an attempt ended. */
export function observeEnd(
  telemetry: Telemetry,
  { cached, job, began }: Attempt,
  { event }: LocalResult,
): void {
  const name = event === LATER ? "step:async" : "step:stop";
  if (!telemetry.has(name)) return;
  const about = { ...aboutAttempt(cached.state, job), duration: performance.now() - began };
  if (name === "step:async") telemetry.emit(name, about);
  else telemetry.emit(name, { ...about, event });
}

/** Emits that an instance was started, and what was decided immediately. */
export function emitStart(
  telemetry: Telemetry,
  state: InstanceState,
  workflow: Workflow,
  progress: Pick<Progress, "applied" | "started" | "withdrawn">,
  error: Failure | undefined,
): void {
  if (telemetry.has("workflow:start")) {
    telemetry.emit("workflow:start", { ...aboutInstance(state), tags: state.tags });
  }
  emitProgress(telemetry, state, workflow, progress);
  if (!isFinal(state.status)) return;
  const { status, insertedAt: at } = state;
  emitEnd(telemetry, state, { status, error, at });
}

/** Emits that an instance has become final. */
export function emitEnd(
  telemetry: Telemetry,
  instance: Pick<InstanceState, "id" | "workflow" | "version" | "key" | "insertedAt"> & {
    readonly control?: Pick<Control, "returned">;
  },
  end: { readonly status: InstanceStatus; readonly error: Failure | undefined; readonly at: Date },
): void {
  const { status, error, at } = end;
  const name = error !== undefined && status === "failed" ? "workflow:exception" : "workflow:stop";
  if (!telemetry.has(name)) return;
  const duration = Math.max(0, at.getTime() - instance.insertedAt.getTime());
  const about = { ...aboutInstance(instance), duration };
  if (error !== undefined && status === "failed") {
    telemetry.emit("workflow:exception", { ...about, error });
  } else {
    const outcome = status === "completed" ? instance.control?.returned?.outcome : undefined;
    telemetry.emit("workflow:stop", { ...about, status, ...(outcome && { outcome }) });
  }
}

/** Emits that an instance begins to undo what its steps have done. */
export function emitUndo(
  telemetry: Telemetry,
  instance: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
  reason: UndoReason,
): void {
  telemetry.emit("workflow:undo", { ...aboutInstance(instance), reason });
}

/** Emits that a timer has elapsed, or that a delivery has reached its instance. */
export function emitResume(
  telemetry: Telemetry,
  instance: InstanceState,
  { step, event }: Pick<NewResult, "step" | "event">,
  result: StepResume["result"],
): void {
  telemetry.emit("step:resume", { ...aboutInstance(instance), step, event, result });
}

/** Tells listeners that the attempts of a job are used up. */
export function emitDiscard(telemetry: Telemetry, job: OwnedJob, error: Failure): void {
  telemetry.emit("job:discard", { ...aboutJob(job), error });
}

function emitTimers(
  telemetry: Telemetry,
  instance: InstanceState,
  included: Plan["included"],
): void {
  for (const { job, result } of included) {
    if (job.kind === "resume" && result) emitResume(telemetry, instance, result, "accepted");
  }
}

/** Emits what a turn outside of a worker has applied and dropped. */
export function emitProgress(
  telemetry: Telemetry,
  instance: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
  workflow: Workflow,
  progress: Pick<Progress, "applied" | "started" | "withdrawn">,
): void {
  emitTransitions(telemetry, instance, workflow, progress);
  emitDrops(telemetry, instance, progress);
}

function emitDrops(
  telemetry: Telemetry,
  instance: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
  { withdrawn }: Pick<Progress, "withdrawn">,
): void {
  if (withdrawn.length === 0 || !telemetry.has("step:drop")) return;
  for (const { step, cause } of withdrawn) {
    const by = cause === "" ? undefined : stepOf(cause);
    telemetry.emit("step:drop", { ...aboutInstance(instance), step, by });
  }
}

function emitTransitions(
  telemetry: Telemetry,
  instance: Pick<InstanceState, "id" | "workflow" | "version" | "key">,
  { graph }: Workflow,
  progress: Pick<Progress, "applied" | "started">,
): void {
  if (!telemetry.has("workflow:transition")) return;
  const names = new Set(progress.started.map(({ step }) => isItem(step) ? eachOf(step) : step));
  for (const { ending: { step, event } } of progress.applied) {
    if (event === LATER || event === FAILED || isItem(step)) continue;
    const targets = graph.steps.get(step)?.moves.get(event) ?? [];
    const started = targets.map(({ to }) => to).filter((to) => names.has(to));
    telemetry.emit("workflow:transition", { ...aboutInstance(instance), step, event, started });
  }
}
