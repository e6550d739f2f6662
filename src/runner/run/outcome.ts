import { HephaestusError, InvalidValueError } from "../../core/errors/errors.ts";
import { decode, encode, type JsonObject } from "../../core/value/json.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { check, type Checked } from "../../core/value/type.ts";

/** An outcome that has been checked, with the JSON texts that are stored. */
export interface CheckedOutcome {
  readonly event: string;
  readonly texts: { readonly output: string | undefined; readonly metadata: string | undefined };
}

/**
 * What the store will give back for an outcome. Without `isRead` nobody will ask for its output.
 */
export function stored(
  { texts: { output, metadata } }: CheckedOutcome,
  isRead: boolean,
): { readonly output: unknown; readonly metadata: JsonObject | undefined } {
  return {
    output: output === undefined || !isRead ? undefined : decode(output),
    metadata: metadata === undefined ? undefined : decode(metadata) as JsonObject,
  };
}

interface Claimed {
  readonly event?: unknown;
  readonly output?: unknown;
  readonly metadata?: unknown;
}

/** Checks what a step or a choice has returned. Throws a sentence for what is no outcome of it. */
export function checkOutcome(
  step: StepDefinition,
  returned: unknown,
  limit: number,
): CheckedOutcome | Promise<CheckedOutcome> {
  const outcome = eventOf(step, returned);
  const checked = check(step.events.get(outcome.event), outcome.output);
  return isPromise(checked)
    ? settled(checked).then((checked) => texts(step, outcome, checked, limit))
    : texts(step, outcome, checked, limit);
}

/** The same for a choice, whose code and schemas must not wait. */
export function checkDecision(
  step: StepDefinition,
  returned: unknown,
  limit: number,
): CheckedOutcome {
  const checked = checkOutcome(step, returned, limit);
  if (!isPromise(checked)) return checked;
  settled(checked).catch(() => {});
  throw new InvalidValueError({
    what: `choice "${step.name}"`,
    problems: [{ path: "", message: "has a schema that is asynchronous" }],
    action: "decide",
  });
}

function refusal({ kind, name }: StepDefinition, why: string): HephaestusError {
  return new HephaestusError("UNDECLARED_EVENT", `Cannot end ${kind} "${name}": ${why}`);
}

function eventOf(step: StepDefinition, returned: unknown): Claimed & { readonly event: string } {
  if (typeof returned !== "object" || returned === null) {
    throw refusal(step, "its code returned no outcome, return emit.<event>()");
  }
  const outcome: Claimed = returned;
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
  outcome: Claimed & { readonly event: string },
  checked: Checked,
  limit: number,
): CheckedOutcome {
  const { event } = outcome;
  if ("problem" in checked) {
    throw new InvalidValueError({
      what: `output of event "${event}" of ${step.kind} "${step.name}"`,
      problems: [{ path: "", message: checked.problem }],
    });
  }
  const { value } = checked;
  const output = value === undefined
    ? undefined
    : encode(value, { what: `output of ${step.kind} "${step.name}"`, limit });
  const metadata = outcome.metadata === undefined
    ? undefined
    : encode(outcome.metadata, { what: `metadata of ${step.kind} "${step.name}"`, limit });
  return { event, texts: { output, metadata } };
}
