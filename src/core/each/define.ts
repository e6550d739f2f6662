import { code, define, isObject, refusal } from "../define/options.ts";
import type { ItemDefinition, StepDefinition } from "../define/step_definition.ts";
import { anyFailures, type ItemPolicy } from "./counts.ts";
import { itemsOf, mostItems } from "./items.ts";

const usualLimit = 10;
/** More at once would be one turn of the instance with as many jobs. */
const mostAtOnce = 10_000;

/** Validates the options of a step over a list, for callers in plain JavaScript too. */
export function defineEach(name: unknown, options: unknown): StepDefinition {
  const definition = define("each", name, options);
  const given = options as Readonly<Record<string, unknown>>;
  const over = code(given, "over", refusal("each", definition.name));
  const item: ItemDefinition = Object.freeze({
    ...definition,
    kind: "step",
    name: itemsOf(definition.name),
    over,
    policy: policy(definition.name, given),
  });
  return Object.freeze({
    ...definition,
    events: new Map([["finished", undefined]]),
    timeout: undefined,
    deadline: undefined,
    run: undefined,
    item,
  });
}

function policy(name: string, options: Readonly<Record<string, unknown>>): ItemPolicy {
  const refuse = refusal("each", name);
  const { limit = usualLimit, onFailure = "stop" } = options;
  if (!isCount(limit, 1, mostAtOnce)) {
    throw refuse(`option "limit" is not a whole number from 1 to ${mostAtOnce}`);
  }
  if (onFailure === "stop") return Object.freeze({ limit, failures: 0 });
  if (onFailure === "continue") return Object.freeze({ limit, failures: anyFailures });
  const threshold = isObject(onFailure) ? onFailure["threshold"] : undefined;
  if (isCount(threshold, 0, mostItems)) return Object.freeze({ limit, failures: threshold });
  throw refuse(
    `option "onFailure" is not "stop", "continue" or { threshold } with a whole number of failures`,
  );
}

function isCount(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
