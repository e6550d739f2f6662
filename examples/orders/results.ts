import type { Hephaestus, HistoryEntry, Instance } from "../../mod.ts";
import { every } from "./engine.ts";
import type { Order } from "./order.ts";
import { order } from "./workflow.ts";

/** How one order has gone. */
export interface Result {
  readonly instance: Instance<Order>;
  readonly history: readonly HistoryEntry[];
  /** What its last step has said, or its status where it did not come so far. */
  readonly outcome: string;
  /** Attempts beyond the first one of each step. */
  readonly retries: number;
  readonly seconds: number;
}

/** How every order has gone, the oldest first. */
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

/** Results by what has become of the order, the most frequent first. */
export function byOutcome(results: readonly Result[]): ReadonlyMap<string, readonly Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    groups.set(result.outcome, [...groups.get(result.outcome) ?? [], result]);
  }
  return new Map([...groups].sort(([, a], [, b]) => b.length - a.length));
}
