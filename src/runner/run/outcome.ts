import type { Activation } from "../../core/engine/activation.ts";
import { FAILED, LATER, type StepEnding } from "../../core/engine/progress.ts";
import { HephaestusError, InvalidValueError } from "../../core/errors/errors.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { type Failure, withFailure } from "../../core/value/failure.ts";
import { decode, encode, type JsonObject } from "../../core/value/json.ts";
import { andThen } from "../../core/value/promise.ts";
import { check, type Checked } from "../../core/value/type.ts";
import type { NewResult } from "../../backend/turn.ts";
import type { OwnedJob } from "../host.ts";
import type { Attempt } from "./attempt.ts";

/** A step that has ended in this process: its result is written together with the transition. */
export interface LocalResult extends StepEnding {
  readonly result: NewResult;
}

/**
 * What a step has returned, checked, as its result. Throws a sentence for what is no outcome of it.
 * `limit` is how many bytes a value may take as JSON.
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
      step: step.name,
      activation: job.activation,
      event,
      output,
      metadata,
      result: resultRow(attempt, event, texts),
    };
  });
}

/** An asynchronous step waits from now on. */
export function waitResult(attempt: Attempt): LocalResult {
  const { step: { name: step }, job: { activation } } = attempt;
  const nothing = { output: undefined, metadata: undefined };
  return { step, activation, event: LATER, ...nothing, result: resultRow(attempt, LATER, nothing) };
}

/** The attempts of a step are used up. `duration` is in milliseconds. */
export function failedResult(
  job: OwnedJob,
  failure: Failure,
  duration: number | undefined,
): LocalResult {
  const { step = "", activation } = job;
  const nothing = { output: undefined, metadata: undefined };
  return {
    step,
    activation,
    event: FAILED,
    ...nothing,
    failure,
    result: {
      step,
      activation,
      waits: false,
      event: FAILED,
      ...nothing,
      attempt: Math.min(job.attempt, job.maxAttempts ?? job.attempt),
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
    step: step.name,
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

/** What a choice has decided, as its result. Its code and schemas must not wait. */
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
  if (!(checked instanceof Promise)) return checked;
  // Nobody else will hear of it when it rejects.
  checked.catch(() => {});
  throw new InvalidValueError({
    what: `choice "${choice}"`,
    problems: [{ path: "", message: "has a schema that is asynchronous" }],
    action: "decide",
  });
}

/** JSON texts, as they are stored. */
interface Texts {
  readonly output: string | undefined;
  readonly metadata: string | undefined;
}

/** What the store will give back. Without `isRead` nobody will ask for the output. */
function parsed(
  { output, metadata }: Texts,
  isRead: boolean,
): { readonly output: unknown; readonly metadata: JsonObject | undefined } {
  return {
    output: output === undefined || !isRead ? undefined : decode(output),
    metadata: metadata === undefined ? undefined : decode(metadata) as JsonObject,
  };
}

/** What has been returned, as far as it looks like an outcome. */
interface Claimed {
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: unknown;
}

function checkOutcome(step: StepDefinition, returned: unknown, limit: number) {
  const outcome = eventOf(step, returned);
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
    throw refusal(step, "its code returned no outcome, return emit.<event>()");
  }
  const outcome: Partial<Record<keyof Claimed, unknown>> = returned;
  const { event } = outcome;
  if (typeof event !== "string") {
    throw refusal(step, "its code returned no outcome, return emit.<event>()");
  }
  // What has a limit expires by itself; its code cannot say so.
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
