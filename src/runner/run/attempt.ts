import type { Job, WithDeadline } from "../../backend/job.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { type TimeContext, timeOf } from "../../core/define/times.ts";
import { HephaestusError, StepTimeoutError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { longestTimer } from "../../core/value/duration.ts";
import type { OwnedJob } from "../host.ts";
import type { CachedInstance } from "../turn/instance_cache.ts";
import type { Limit } from "./cancellation.ts";

/** One attempt: everything that belongs to a step being run. */
export interface Attempt {
  readonly job: OwnedJob;
  readonly workflow: Workflow;
  readonly step: StepDefinition;
  readonly cached: CachedInstance;
  readonly began: number;
}

/** The time limit of an attempt in milliseconds, if it has one. May be negative. */
export function timeoutOf(
  { step, job, began, cached }: Attempt,
  { steps }: Pick<TimeContext, "steps">,
): number | undefined {
  if (step.timeout === undefined) return undefined;
  const { input } = cached.state;
  const timeout = timeOf(step.timeout, step, "timeout", { input, steps });
  if (typeof timeout === "number") return timeout;
  return timeout.getTime() - job.at - (performance.now() - began);
}

/**
 * What is left of the limits of an attempt whose code was called at `called`: of its timeout, or of
 * the deadline of its step, whichever ends first. Throws when it has passed.
 */
export function limitOf(
  { step: { name: step }, job, began }: Attempt,
  timeout: number | undefined,
  called: number,
): Limit | undefined {
  if (timeout === undefined && job.args === undefined) return undefined;
  const now = performance.now();
  const left = leftOf(job, now - began);
  const rest = timeout === undefined ? longestTimer : timeout - (now - called);
  if (left !== undefined && left <= rest) {
    return limit(left, () => deadlinePassed(job));
  }
  if (timeout === undefined) return undefined;
  const reason = () => new StepTimeoutError({ step, limit: Math.max(0, Math.round(timeout)) });
  return limit(rest, reason);
}

function limit(milliseconds: number, reason: Limit["reason"]): Limit {
  return { milliseconds: Math.max(1, milliseconds), reason };
}

/** Milliseconds until the deadline of a step, `spent` milliseconds after its attempt began. */
export function leftOf(
  { kind, args, at }: Pick<Job, "kind" | "args" | "at">,
  spent: number,
): number | undefined {
  if (kind !== "execute" || args === undefined) return undefined;
  return (args as WithDeadline).deadline - at - spent;
}

/** The error of a step whose deadline has passed, or would pass before its next attempt. */
export function deadlinePassed(
  { step, args }: Pick<Job, "step" | "args">,
  options?: ErrorOptions,
): HephaestusError {
  const at = new Date((args as WithDeadline).deadline).toISOString();
  const why = options === undefined
    ? `its deadline ${at} has passed`
    : `it has not ended, and its next attempt would begin after its deadline ${at}`;
  return new HephaestusError("DEADLINE", `Cannot finish step "${step}": ${why}`, options);
}
