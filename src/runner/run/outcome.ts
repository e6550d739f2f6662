import type { NewResult } from "../../backend/turn.ts";
import { failedEvent, type StepDefinition } from "../../core/define/step_definition.ts";
import { isItem } from "../../core/each/items.ts";
import type { Activation } from "../../core/engine/activation.ts";
import { FAILED, LATER, type StepEnding } from "../../core/engine/progress.ts";
import { HephaestusError, InvalidValueError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { type Failure, type StepFailure, withFailure } from "../../core/value/failure.ts";
import { decode, encode, type JsonObject } from "../../core/value/json.ts";
import { andThen, isPromise, unawaited } from "../../core/value/promise.ts";
import { check, type Checked } from "../../core/value/type.ts";
import type { OwnedJob } from "../host.ts";
import type { Attempt } from "./attempt.ts";

/** A step that has ended in this process. Its result is written together with the transition. */
export interface LocalResult extends StepEnding {
  readonly result: NewResult;
}

/**
 * Checks what a step returned and converts it to a result. Throws a sentence if it is not an
 * outcome of the step. `limit` is the maximum size of a value as JSON, in bytes.
 */
export function resultOf(
  attempt: Attempt,
  returned: unknown,
  limit: number,
): LocalResult | Promise<LocalResult> {
  const { workflow: { graph }, step, job } = attempt;
  return andThen(checkOutcome(step, returned, limit), ({ event, texts }) => {
    const { output, metadata } = parsed(texts, graph.isRead(step.name));
    return {
      step: job.step ?? step.name,
      activation: job.activation,
      event,
      output,
      metadata,
      result: resultRow(attempt, event, texts),
    };
  });
}

/** The result of an asynchronous step that starts to wait; a child's names the child. */
export function waitResult(attempt: Attempt, waitsFor?: { readonly child: string }): LocalResult {
  const { step: { name: step }, job: { activation } } = attempt;
  const nothing = { output: undefined, metadata: undefined };
  const texts = { ...nothing, output: waitsFor && JSON.stringify(waitsFor) };
  return { step, activation, event: LATER, ...nothing, result: resultRow(attempt, LATER, texts) };
}

/**
 * The result of a step that has used up its attempts: the event `failed` if its row has a road for
 * it, and otherwise the failure of its instance. `duration` is in milliseconds.
 */
export function failedResult(
  { graph }: Pick<Workflow, "graph">,
  job: OwnedJob,
  failure: Failure,
  duration: number | undefined,
): LocalResult {
  const { step = "", activation } = job;
  const attempt = Math.min(job.attempt, job.maxAttempts ?? job.attempt);
  const node = graph.steps.get(step);
  const event = isItem(step) || node?.moves.has(failedEvent) ? failedEvent : FAILED;
  const isRead = event === failedEvent || node?.undoable.has(failedEvent) === true;
  const output: StepFailure | undefined = isRead ? { ...failure, attempts: attempt } : undefined;
  return {
    step,
    activation,
    event,
    output,
    metadata: undefined,
    failure,
    attempt,
    result: {
      step,
      activation,
      waits: false,
      event,
      output: output && JSON.stringify(output),
      metadata: undefined,
      attempt,
      errors: JSON.stringify(withFailure(job.errors, failure)),
      duration,
    },
  };
}

function resultRow(
  { job, step, began }: Attempt,
  event: string,
  { output, metadata }: Texts,
): NewResult {
  return {
    step: job.step ?? step.name,
    activation: job.activation,
    waits: event === LATER,
    event,
    output,
    metadata,
    attempt: job.attempt,
    errors: job.errors.length > 0 ? JSON.stringify(job.errors) : undefined,
    duration: Math.round(performance.now() - began),
  };
}

/** The result of a choice. Its code and schemas must be synchronous. */
export function decision(
  step: StepDefinition,
  { activation }: Activation,
  returned: unknown,
  limit: number,
  isRead: boolean,
): Omit<LocalResult, "step" | "activation"> {
  const checked = checkOutcome(step, returned, limit);
  const { event, texts } = awaited(checked, step.name);
  const result = { attempt: 1, errors: undefined, duration: undefined };
  return {
    event,
    ...parsed(texts, isRead),
    result: { step: step.name, activation, waits: false, event, ...texts, ...result },
  };
}

function awaited<T>(checked: T | Promise<T>, choice: string): T {
  if (!isPromise(checked)) return checked;
  unawaited(checked);
  throw new InvalidValueError({
    what: `choice "${choice}"`,
    problems: [{
      path: "",
      message: "has an asynchronous schema, but a choice must be synchronous",
    }],
    action: "decide",
  });
}

/** JSON texts as they are stored. */
interface Texts {
  readonly output: string | undefined;
  readonly metadata: string | undefined;
}

/**
 * Parses what the store will return. Without `isRead` the output is not parsed, because nothing
 * reads it.
 */
function parsed(
  { output, metadata }: Texts,
  isRead: boolean,
): { readonly output: unknown; readonly metadata: JsonObject | undefined } {
  return {
    output: output === undefined || !isRead ? undefined : decode(output),
    metadata: metadata === undefined ? undefined : decode(metadata) as JsonObject,
  };
}

/** A returned value that looks like an outcome. */
interface Claimed {
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: unknown;
}

function checkOutcome(step: StepDefinition, returned: unknown, limit: number) {
  const outcome = eventOf(step, returned);
  if (isItem(step.name) && outcome.metadata !== undefined) {
    throw refusal(step, "an item adds no metadata to its instance. Emit the event without it");
  }
  return andThen(
    check(step.events.get(outcome.event), outcome.output),
    (checked) => ({ event: outcome.event, texts: texts(step, outcome, checked, limit) }),
  );
}

function refusal({ kind, name }: StepDefinition, why: string): HephaestusError {
  return new HephaestusError("UNDECLARED_EVENT", `Cannot end ${kind} "${name}": ${why}`);
}

function eventOf(step: StepDefinition, returned: unknown): Claimed {
  if (typeof returned !== "object" || returned === null) {
    throw refusal(step, "its code returned no outcome. Return emit.<event>()");
  }
  const outcome: Partial<Record<keyof Claimed, unknown>> = returned;
  const { event } = outcome;
  if (typeof event !== "string") {
    throw refusal(step, "its code returned no outcome. Return emit.<event>()");
  }
  // Only the runner emits the event of an expired limit. The code of such a step cannot.
  const own = step.events.has(event) && (event !== "expired" || step.expires === undefined);
  if (!own) throw refusal(step, `it does not declare the event "${event}"`);
  return { event, output: outcome.output, metadata: outcome.metadata };
}

function texts(
  step: StepDefinition,
  { event, metadata }: Claimed,
  checked: Checked,
  limit: number,
): Texts {
  if ("problem" in checked) {
    throw new InvalidValueError({
      what: `output of event "${event}" of ${step.kind} "${step.name}"`,
      problems: [{ path: "", message: checked.problem }],
    });
  }
  const { value } = checked;
  const text = (what: string, value: unknown) =>
    value === undefined
      ? undefined
      : encode(value, { what: `${what} of ${step.kind} "${step.name}"`, limit });
  return { output: text("output", value), metadata: text("metadata", metadata) };
}
