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

/** What a statement answers that writes instances. */
export interface WrittenRow {
  readonly written: string | null;
  readonly at: string;
}

/**
 * The columns of {@linkcode WrittenRow}: the ids that a common table expression holds, and the time
 * of the write.
 */
export function written(of: string, time = "now()"): string {
  return `string_agg(${of}.id::text, ',') as written, ${epoch(time)} as at`;
}

/** Reads them. */
export function writtenOf(row: WrittenRow | undefined): Map<string, Date> {
  const all = new Map<string, Date>();
  if (row?.written == null) return all;
  const at = date(row.at);
  for (const id of row.written.split(",")) all.set(id, at);
  return all;
}

/** Milliseconds since 1970, as text: no driver's idea of a time zone takes part. */
export function epoch(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::text`;
}

/** Reads what {@linkcode epoch} has selected. */
export function date(text: string): Date {
  return new Date(Math.round(Number(text)));
}

/**
 * Whether `job` is the executing row that a lease proves. Put so that its id alone finds it: to a
 * planner that believes the table to be empty, the index of executing jobs costs the same, and the
 * plan it keeps then reads all jobs of the process for each of them.
 */
export function held(process: string, token: string): string {
  return `(job.state, job.process_id, job.token) is not distinct from ('executing', ${process}, ${token})`;
}
