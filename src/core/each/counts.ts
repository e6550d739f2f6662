import { mostItems } from "./items.ts";

/** How a step runs the items of its list. */
export interface ItemPolicy {
  /** How many items run at once. */
  readonly limit: number;
  /** How many items may fail. With one more, no other item begins. */
  readonly failures: number;
}

/** All that is known of the items of an active step. */
export interface ItemCounts {
  /** How many it runs. */
  readonly total: number;
  /** How many have begun. */
  readonly begun: number;
  /** How many of these have ended. */
  readonly ended: number;
  /** How many of these have failed. */
  readonly failed: number;
}

/** The policy under which any number of items may fail. */
export const anyFailures: number = mostItems;

/** The counts before the first item begins. */
export function noneBegun(total: number): ItemCounts {
  return { total, begun: 0, ended: 0, failed: 0 };
}

/** The counts after an item has ended. */
export function oneEnded(counts: ItemCounts, failed: boolean): ItemCounts {
  return { ...counts, ended: counts.ended + 1, failed: counts.failed + (failed ? 1 : 0) };
}

/** The counts after as many items have begun as may run at once. */
export function filled(counts: ItemCounts, policy: ItemPolicy): ItemCounts {
  const { total, begun, ended } = counts;
  if (hasFailed(counts, policy)) return counts;
  return { ...counts, begun: Math.max(begun, Math.min(total, ended + policy.limit)) };
}

/** Whether nothing runs and nothing more begins. */
export function isDone(counts: ItemCounts, policy: ItemPolicy): boolean {
  const { total, begun, ended } = counts;
  return ended === begun && (begun === total || hasFailed(counts, policy));
}

/** Whether more items have failed than may. */
export function hasFailed({ failed }: ItemCounts, { failures }: ItemPolicy): boolean {
  return failed > failures;
}

/** What is left to run after a failure: the items that have failed, and those without a result. */
export function left({ total, ended, failed }: ItemCounts): ItemCounts {
  return noneBegun(total - (ended - failed));
}
