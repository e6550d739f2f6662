import type { Answer } from "./connection.ts";

const types = new WeakMap<readonly unknown[], ReadonlyMap<string, number>>();

/** The rows of a response as a plain array. */
export function plain<R>(answer: Answer): readonly R[] {
  const rows = Array.from(answer) as R[];
  if (answer.columns && rows.length > 0) {
    types.set(rows, new Map(answer.columns.map(({ name, type }) => [name, type])));
  }
  return rows;
}

/** The type oid of each column of rows that a `query` returned. */
export function columnTypes(rows: readonly unknown[]): ReadonlyMap<string, number> {
  return types.get(rows) ?? new Map();
}
