import type { Store } from "../../backend/store.ts";
import type { TimeContext } from "../../core/define/times.ts";
import { mostItems } from "../../core/each/items.ts";
import type { Activation } from "../../core/engine/activation.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { describe } from "../../core/value/json.ts";
import { isPromise, unawaited } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import type { OutputCache } from "../run/inputs.ts";
import type { CachedInstance } from "../turn/instance_cache.ts";
import { numbersOf, placesOf } from "./outcomes.ts";

/**
 * The items of a step.
 *
 * @throws {HephaestusError} With the code `INVALID_ITEMS`, when `over` throws or returns no list.
 */
export function listOf(
  { steps }: Pick<Workflow, "steps">,
  step: string,
  context: TimeContext,
): readonly unknown[] {
  const refuse = (why: string, cause?: unknown) =>
    new HephaestusError("INVALID_ITEMS", `Cannot list the items of each "${step}": ${why}`, {
      cause,
    });
  let list: unknown;
  let isList: boolean;
  try {
    list = callUserCode(() => steps.get(step)?.item?.over(context));
    isList = Array.isArray(list);
  } catch (error) {
    throw refuse(`option "over" has thrown. ${failure(error).message}`, error);
  }
  if (isPromise(list)) {
    unawaited(list);
    throw refuse(`option "over" has returned a promise, but must be synchronous`);
  }
  if (!isList) throw refuse(`option "over" has returned ${describe(list)}, and no array`);
  const { length } = list as readonly unknown[];
  if (length <= mostItems) return list as readonly unknown[];
  throw refuse(`option "over" has returned ${length} items. The limit is ${mostItems}`);
}

/** The items that an activation runs, each with its place in the list. */
export interface ItemList {
  readonly list: readonly unknown[];
  /** Where each item of the activation is in the list; `undefined` if it runs all of them. */
  readonly places: readonly number[] | undefined;
}

const cached = new WeakMap<OutputCache, Map<string, ItemList & { readonly activation: number }>>();

/**
 * The items of an active step, where one of them is to run. The list is asked for once per process
 * and activation: a new one for each item would take the square of its length.
 *
 * @throws {HephaestusError} With the code `ITEMS_CHANGED`, when the list has another length than
 * the one that the step has begun with.
 */
export function itemsOfActive(
  store: Pick<Store, "endedBetween">,
  workflow: Workflow,
  { state: { id, control, input }, outputs }: CachedInstance,
  one: Activation,
  steps: TimeContext["steps"],
): ItemList | Promise<ItemList> {
  const { step, activation } = one;
  const known = cached.get(outputs)?.get(step);
  if (known?.activation === activation) return known;
  const { total } = control.each.get(step) ?? { total: 0 };
  const { keyOf } = control.active.get(step) ?? {};
  const keep = (places: ItemList["places"], length: number) => {
    const list = listOf(workflow, step, { input, steps });
    if (list.length !== length) throw changed(step, length, list.length);
    const lists = cached.get(outputs) ?? new Map();
    cached.set(outputs, lists.set(step, { list, places, activation }));
    return { list, places };
  };
  if (keyOf === undefined) return keep(undefined, total);
  return store.endedBetween(id, ...numbersOf(one, keyOf)).then((rows) => {
    const { places, ended } = placesOf({ ...one, total }, keyOf, rows);
    return keep(places, total + ended.size);
  });
}

function changed(step: string, before: number, now: number): HephaestusError {
  return new HephaestusError(
    "ITEMS_CHANGED",
    `Cannot run an item of each "${step}": option "over" has returned ${now} items, and ${before} when the step began. It must be pure`,
  );
}
