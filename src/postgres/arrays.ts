/** A value of an array parameter. */
export type Element = string | number | boolean | undefined;

/** The text of a one-dimensional PostgreSQL array. `undefined` is SQL null. */
export function array(values: readonly Element[]): string {
  let text = "{";
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ",";
    const value = values[i];
    if (value === undefined) text += "NULL";
    else if (typeof value === "string") text += quoted(value);
    else text += String(value);
  }
  return text + "}";
}

function quoted(value: string): string {
  return /["\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : `"${value}"`;
}

/** One array parameter for each column of `rows`, in the order of `columns`. */
export function columns<T>(
  rows: readonly T[],
  ...of: readonly ((row: T) => Element)[]
): readonly string[] {
  return of.map((value) => array(rows.map(value)));
}
