/** Milliseconds since 1970, as text: no driver's idea of a time zone takes part. */
export function epoch(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::text`;
}

/** Reads what {@linkcode epoch} has selected. */
export function date(text: string): Date {
  return new Date(Math.round(Number(text)));
}
