/** An element of an array parameter. */
export type Element = string | number | boolean | undefined;

/**
 * The text of a one-dimensional PostgreSQL array with one value per row. `undefined` becomes SQL
 * null.
 */
export function array<T>(rows: readonly T[], value: (row: T, index: number) => Element): string {
  const elements = new Array<string | number | boolean>(rows.length);
  for (let i = 0; i < rows.length; i++) elements[i] = element(value(rows[i]!, i));
  return `{${elements.join(",")}}`;
}

/** The text of an array of texts. */
export function texts(values: readonly string[]): string {
  return array(values, (value) => value);
}

/** One array parameter for each column of `rows`, in the order of `columns`. */
export function columns<T>(
  rows: readonly T[],
  ...of: readonly ((row: T) => Element)[]
): readonly string[] {
  return of.map((value) => array(rows, value));
}

// A word needs no quotes, except NULL.
const word = /^[\w-]+$/;

// Characters that JSON.stringify escapes differently. All other text it quotes like a PostgreSQL
// array, in half the time.
const special = /[\p{Cc}\p{Surrogate}]/u;

function element(value: Element): string | number | boolean {
  if (value === undefined) return "NULL";
  if (typeof value !== "string" || (value.length !== 4 && word.test(value))) return value;
  if (!special.test(value)) return JSON.stringify(value);
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
