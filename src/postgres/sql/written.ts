import { date, epoch } from "./times.ts";

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
