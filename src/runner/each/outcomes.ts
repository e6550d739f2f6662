import type { StepOutput, Store } from "../../backend/store.ts";
import { failedEvent } from "../../core/define/step_definition.ts";
import { eachAt, isItem, itemAt, itemsOf, placeOf } from "../../core/each/items.ts";
import type { Activation } from "../../core/engine/activation.ts";
import type { Graph } from "../../core/graph/graph.ts";

/** What is stored as the output of `finished`. The outcomes are read from the rows of the items. */
export interface StoredEnd {
  /** How many items its last activation has run. */
  readonly items: number;
  /** How many of these have failed. */
  readonly failed: number;
  /** After a retry by hand: the activation that was the first to run items of the list. */
  readonly since?: number;
}

type ItemRow = Pick<StepOutput, "step" | "activation" | "event" | "output">;

/** How the items of a list have ended: its places in the order of the list. */
export interface Places {
  /** The place of each item of the last activation in the list. */
  readonly places: readonly number[];
  /** The items that have ended without a failure before, by their place. */
  readonly ended: ReadonlyMap<number, ItemRow>;
}

/**
 * Finds which items of its list an activation runs. After a retry by hand, it runs those that have
 * failed or have no result. `rows` are the items of the activations from `since` on.
 */
export function placesOf(
  { step, activation, total }: Activation & { readonly total: number },
  since: number,
  rows: readonly ItemRow[],
): Places {
  const ended = new Map<number, ItemRow>();
  const done = rows.filter((row) => row.event !== failedEvent);
  const earlier = done.filter((row) => eachAt(row).activation < activation);
  let places = Array.from({ length: total + earlier.length }, (_, place) => place);
  for (let one = since; one < activation; one++) {
    const now = new Map(
      earlier.filter((row) => eachAt(row).activation === one).map((row) => [placeOf(row), row]),
    );
    if (now.size === 0) continue;
    for (const [at, row] of now) ended.set(places[at]!, row);
    places = places.filter((_, at) => !now.has(at));
  }
  if (places.length === total) return { places, ended };
  throw new TypeError(`Cannot find the items of "${step}": its history has other results`);
}

/** The outcomes of the items of an activation that has finished, in the order of the list. */
export function outcomesOf(
  one: Activation,
  { items, since = one.activation }: StoredEnd,
  rows: readonly ItemRow[],
): readonly unknown[] {
  const { places, ended } = placesOf({ ...one, total: items }, since, rows);
  const all: unknown[] = [];
  for (const [place, { event, output }] of ended) all[place] = { event, output };
  for (const row of rows) {
    if (eachAt(row).activation !== one.activation) continue;
    all[places[placeOf(row)]!] = { event: row.event, output: row.output };
  }
  return Object.freeze(all.map((outcome) => Object.freeze(outcome)));
}

/** Puts the outcomes of items in the place of what is stored as the output of `finished`. */
export function withOutcomes(graph: Graph, rows: readonly StepOutput[]): readonly StepOutput[] {
  const isFinished = (row: StepOutput) => isEachEnd(graph, row);
  if (!rows.some(isFinished)) return rows;
  const items = itemsIn(rows);
  return rows.map((row) => {
    if (!isFinished(row)) return row;
    const end = row.output as StoredEnd;
    const since = end.since ?? row.activation;
    const own = (items.get(itemsOf(row.step)) ?? []).filter((item) => {
      const of = eachAt(item).activation;
      return of >= since && of <= row.activation;
    });
    return { ...row, output: outcomesOf(row, end, own) };
  });
}

/** The items among these results, by their name. */
export function itemsIn(rows: readonly StepOutput[]): ReadonlyMap<string, readonly StepOutput[]> {
  const items = new Map<string, StepOutput[]>();
  for (const row of rows) {
    if (!isItem(row.step)) continue;
    const list = items.get(row.step);
    if (list === undefined) items.set(row.step, [row]);
    else list.push(row);
  }
  return items;
}

/** The same for some results, whose items are read. */
export async function withItems(
  store: Pick<Store, "endedBetween">,
  graph: Graph,
  instance: string,
  rows: readonly StepOutput[],
): Promise<readonly StepOutput[]> {
  const ends = rows.filter((row) => isEachEnd(graph, row));
  if (ends.length === 0) return rows;
  const items: StepOutput[] = [];
  for (const row of ends) {
    const { since } = row.output as StoredEnd;
    items.push(...await store.endedBetween(instance, ...numbersOf(row, since)));
  }
  return withOutcomes(graph, [...rows, ...items]).slice(0, rows.length);
}

/** Whether a result is that of a step over a list which has finished. */
export function isEachEnd(
  { steps }: Pick<Graph, "steps">,
  { step, event }: Pick<StepOutput, "step" | "event">,
): boolean {
  return event === "finished" && steps.get(step)?.kind === "each";
}

/** The numbers of the items of an activation and of those before it, from `since` on. */
export function numbersOf(
  one: Activation,
  since: number = one.activation,
): readonly [step: string, first: number, last: number] {
  const first = itemAt({ ...one, activation: since }, 0);
  return [
    first.step,
    first.activation,
    itemAt({ ...one, activation: one.activation + 1 }, -1).activation,
  ];
}

/** The names of the items of the steps over lists among these. */
export function listsIn(
  { steps }: Pick<Graph, "steps">,
  all: readonly Activation[],
): readonly string[] {
  return all.filter(({ step }) => steps.get(step)?.kind === "each")
    .map(({ step }) => itemsOf(step));
}
