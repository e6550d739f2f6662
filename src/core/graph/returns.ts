import { isObject, type Refuse } from "../define/options.ts";
import {
  anyEnd,
  anyEvent,
  everyOf,
  failedEvent,
  type StepDefinition,
} from "../define/step_definition.ts";
import { checkName } from "../value/identity.ts";

/** An ending that a workflow returns, under the name of an outcome. */
export interface NamedEnding {
  readonly outcome: string;
  readonly step: string;
  readonly event: string;
}

/** Names of outcomes that would be mistaken for the status of an instance. */
const statuses = ["failed", "cancelled", "undone"];

/** Reads what a workflow returns: one event of a step under each name. */
export function returned(outcomes: unknown, refuse: Refuse): readonly NamedEnding[] {
  if (!isObject(outcomes)) throw refuse("what it returns is not an object");
  const named = Object.entries(outcomes);
  if (named.length === 0) throw refuse("it returns no outcome: name one, or omit returns(...)");
  return named.map(([outcome, need]) => {
    checkName("outcome", outcome);
    if (statuses.includes(outcome)) {
      throw refuse(`outcome "${outcome}" would say how an instance ended: use another name`);
    }
    if (!isObject(need) || typeof need["name"] !== "string" || typeof need["event"] !== "string") {
      throw refuse(`outcome "${outcome}" is not an event of a step: use step.when(...)`);
    }
    const [step, event] = [need["name"], need["event"]];
    if (event === anyEvent || event === anyEnd || everyOf({ event }) !== undefined) {
      throw refuse(`outcome "${outcome}" is not one event of "${step}": use ${step}.when(...)`);
    }
    return { outcome, step, event };
  });
}

/** The part of a row that decides what it can return. */
interface RowEvents {
  readonly step: Pick<StepDefinition, "name" | "kind">;
  readonly moves: ReadonlyMap<string, unknown>;
  readonly undoing: ReadonlySet<string>;
}

/** The outcomes of each step, by event. Refuses endings that are not in the rows. */
export function outcomesOf(
  returned: readonly NamedEnding[],
  rows: readonly RowEvents[],
  refuse: Refuse,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  if (returned.length === 0) return found;
  const emitted = new Map(rows.map(({ step, moves }) => [step.name, moves]));
  const lists = new Set(
    rows.filter(({ step }) => step.kind === "each").map(({ step }) => step.name),
  );
  const undoing = new Map(rows.map((row) => [row.step.name, row.undoing]));
  for (const { outcome, step, event } of returned) {
    const what = `outcome "${outcome}" returns "${step}.${event}"`;
    const events = emitted.get(step);
    if (event === "finished" && lists.has(step)) {
      throw refuse(`${what}, whose output is in many rows: return an event of a step after it`);
    }
    if (events === undefined) throw refuse(`${what}, but "${step}" is not a step of this workflow`);
    if (event === failedEvent && !events.has(event)) {
      throw refuse(`${what}, but the row of "${step}" has no road for "failed"`);
    }
    if (!events.has(event)) throw refuse(`${what}, but "${step}" never emits "${event}"`);
    if (undoing.get(step)?.has(event)) throw refuse(`${what}, which ends by undoing`);
    const outcomes = found.get(step) ?? new Map<string, string>();
    const other = outcomes.get(event);
    if (other !== undefined) throw refuse(`${what}, which outcome "${other}" already returns`);
    found.set(step, outcomes.set(event, outcome));
  }
  return found;
}
