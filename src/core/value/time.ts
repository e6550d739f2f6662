import { type Duration, milliseconds } from "./duration.ts";

/** A time: how long from when it begins to count, or a point in time. */
export type Time = Duration | Date;

/** A time as data: milliseconds from when it begins to count, or a point in time. */
export type Due = number | Date;

/**
 * Converts a time. A point in time is copied, because its owner may change it. One before 1970 is
 * in the past all the same, and not every database can store it.
 *
 * @param option The option that the time is for, if errors should name it.
 */
export function due(time: unknown, option?: string): Due {
  const at = pointOf(time);
  if (at === undefined) return milliseconds(time, option);
  if (!Number.isNaN(at)) return new Date(Math.max(0, at));
  throw new RangeError(
    `Cannot use a Date${option ? ` as option "${option}"` : ""} that is not a valid time`,
  );
}

/** Milliseconds since 1970 if the value is a Date, of whatever realm. */
function pointOf(value: unknown): number | undefined {
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return undefined;
  }
}
