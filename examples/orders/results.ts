import type { Hephaestus, HistoryEntry, Instance } from "../../mod.ts";
import { every } from "./engine.ts";
import type { Order } from "./order.ts";
import { order } from "./workflow.ts";

/** The result of one order. */
export interface Result {
  readonly instance: Instance<Order>;
  readonly history: readonly HistoryEntry[];
  /** The outcome that its last step reported, or its status if it did not get that far. */
  readonly outcome: string;
  /** Attempts beyond the first one of each step. */
  readonly retries: number;
  readonly seconds: number;
}

/** The results of all orders, the oldest first. */
export async function resultsOf(hephaestus: Hephaestus): Promise<readonly Result[]> {
  const results: Promise<Result>[] = [];
  for await (const instance of every(hephaestus)) results.push(resultOf(hephaestus, instance));
  return (await Promise.all(results)).reverse();
}

async function resultOf(hephaestus: Hephaestus, instance: Instance<Order>): Promise<Result> {
  const { id, status, metadata, insertedAt, finishedAt = insertedAt } = instance;
  const history = await hephaestus.history(order, { id });
  return {
    instance,
    history,
    outcome: status === "completed" ? String(metadata["outcome"]) : status,
    retries: history.reduce((sum, { attempts }) => sum + Math.max(attempts - 1, 0), 0),
    seconds: (finishedAt.getTime() - insertedAt.getTime()) / 1_000,
  };
}

/** Sentences about orders that were not processed exactly once or not to the end. */
export function failuresOf(results: readonly Result[], orders: number): readonly string[] {
  const unfinished = results.filter(({ instance }) => instance.status !== "completed");
  const sentences = unfinished.map(({ instance }) =>
    `order ${instance.input.id} has ${instance.status}: ${instance.error?.message}`
  );
  const counted = new Set(results.map(({ instance }) => instance.input.id)).size;
  if (counted === orders && results.length === orders) return sentences;
  return [`${results.length} workflows ran for ${counted} of ${orders} orders`, ...sentences];
}

/** Counts results by outcome, the most frequent first. */
export function byOutcome(results: readonly Result[]): ReadonlyMap<string, readonly Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    groups.set(result.outcome, [...groups.get(result.outcome) ?? [], result]);
  }
  return new Map([...groups].sort(([, a], [, b]) => b.length - a.length));
}
