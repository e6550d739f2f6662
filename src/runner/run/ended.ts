import { LATER } from "../../core/engine/engine.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import type { NewResult } from "../../backend/turn.ts";
import type { Attempt } from "./attempt.ts";
import { aboutAttempt } from "../observe.ts";
import { type CheckedOutcome, checkOutcome, stored } from "./outcome.ts";
import type { Runtime } from "../runtime.ts";
import type { LocalResult } from "../turn/compute_turn.ts";

/** Checks what a step has returned and makes the result of it. */
export function endedWith(
  runtime: Runtime,
  attempt: Attempt,
  returned: unknown,
): LocalResult | Promise<LocalResult> {
  const checked = checkOutcome(attempt.step, returned, runtime.payloadLimit);
  return isPromise(checked)
    ? settled(checked).then((checked) => endedBy(attempt, checked))
    : endedBy(attempt, checked);
}

function endedBy(attempt: Attempt, checked: CheckedOutcome): LocalResult {
  const { workflow: { graph }, step } = attempt;
  const { event, texts } = checked;
  const { output, metadata } = stored(checked, graph.isRead(step.name));
  return ended(attempt, { activation: 1, event, output, metadata }, texts);
}

/**
 * An asynchronous step waits from now on. Its row must not take the place of the delivery that ends
 * the wait.
 */
export function later(attempt: Attempt): LocalResult {
  const nothing = { output: undefined, metadata: undefined };
  return ended(attempt, { activation: -1, event: LATER, ...nothing }, nothing);
}

function ended(
  { job, step, began }: Attempt,
  { activation, event, output, metadata }: Omit<LocalResult, "step" | "result">,
  texts: Pick<NewResult, "output" | "metadata">,
): LocalResult {
  return {
    step: step.name,
    activation,
    event,
    output,
    metadata,
    result: {
      step: step.name,
      activation,
      event,
      output: texts.output,
      metadata: texts.metadata,
      attempt: job.attempt,
      errors: job.errors.length > 0 ? JSON.stringify(job.errors) : undefined,
      duration: Math.round(performance.now() - began),
    },
  };
}

/** Tells listeners how an attempt ended. */
export function observeEnd(
  { telemetry }: Runtime,
  { cached, job, began }: Attempt,
  { activation, event }: LocalResult,
): void {
  const name = activation < 0 ? "step:async" : "step:stop";
  if (!telemetry.has(name)) return;
  const about = { ...aboutAttempt(cached.known, job), duration: performance.now() - began };
  if (name === "step:async") telemetry.emit(name, about);
  else telemetry.emit(name, { ...about, event });
}
