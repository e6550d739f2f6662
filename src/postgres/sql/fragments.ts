import type { Turn } from "../../backend/turn.ts";
import type { Column } from "./statement.ts";

/**
 * Something of the turn that stands at this place in its batch: a number joins in half the time of
 * an id.
 */
export interface OfTurn<T> {
  readonly at: number;
  readonly row: T;
}

/** What the turns of a batch have of something. */
export function each<T>(
  turns: readonly Turn[],
  rows: (turn: Turn) => readonly T[],
): OfTurn<T>[] {
  const all: OfTurn<T>[] = [];
  for (let at = 0; at < turns.length; at++) {
    for (const row of rows(turns[at]!)) all.push({ at, row });
  }
  return all;
}

/** The column that joins it with its turn. */
export const at: Column<OfTurn<unknown>> = ["at", "int", (of) => of.at];
