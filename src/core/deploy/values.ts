import type { StepEnding } from "../engine/progress.ts";
import type { Workflow } from "../graph/workflow.ts";
import { decode, encode } from "../value/json.ts";
import { andThen } from "../value/promise.ts";
import { check, type Type } from "../value/type.ts";
import { sorted } from "./move.ts";

/** A stored value, with the schema that the other version has for it. */
export interface StoredValue {
  readonly what: string;
  readonly schema: Type<unknown> | undefined;
  readonly value: unknown;
}

/** The steps whose stored outputs have another schema in `to`. `from` may not be known. */
export function stepsToCheck(from: Workflow | undefined, to: Workflow): readonly string[] {
  return [...to.steps.values()].filter(({ name, events }) => {
    const before = from?.steps.get(name)?.events;
    return [...events].some(([event, schema]) => before?.get(event) !== schema);
  }).map(({ name }) => name);
}

/** The values of an instance that have another schema in `to`. */
export function valuesToCheck(
  from: Workflow | undefined,
  to: Workflow,
  input: unknown,
  history: readonly StepEnding[],
): readonly StoredValue[] {
  const values: StoredValue[] = [];
  if (from?.input !== to.input) values.push({ what: "its input", schema: to.input, value: input });
  for (const { step, event, output } of history) {
    const schema = to.steps.get(step)?.events.get(event);
    if (schema === undefined || from?.steps.get(step)?.events.get(event) === schema) continue;
    values.push({ what: `the output "${step}.${event}"`, schema, value: output });
  }
  return values;
}

/**
 * Why the schema would not give the value as it is stored. A schema whose output it does not take
 * as its input cannot tell.
 */
export function refusedBySchema(
  { what, schema, value }: StoredValue,
  of: string,
): string | undefined | Promise<string | undefined> {
  return andThen(check(schema, value), (checked) => {
    if ("problem" in checked) {
      return `${what} is not what the schema in ${of} expects (${checked.problem})`;
    }
    const text = (value: unknown) => JSON.stringify(sorted(value));
    const stored = checked.value === undefined
      ? undefined
      : decode(encode(checked.value, { what, limit: Infinity }));
    return text(stored) === text(value) ? undefined : `the schema in ${of} would change ${what}`;
  });
}
