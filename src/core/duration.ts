/**
 * A length of time: milliseconds, or a number with its unit.
 *
 * @example Wait for half an hour
 * ```ts
 * import { type Duration, timer } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const pause: Duration = "30m";
 * assertEquals(timer("cooldown", pause).definition.after, 1_800_000);
 * ```
 */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const units: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const century = 36_525 * 86_400_000;

/** The length of a duration in whole milliseconds; plain JavaScript may hand in anything. */
export function milliseconds(duration: unknown): number {
  const length = typeof duration === "number" ? duration : parse(duration);
  if (!(length >= 0 && length <= century)) {
    throw new RangeError(
      `Cannot use duration ${shown(duration)}: it lasts from 0 milliseconds to 36525 days`,
    );
  }
  return Math.round(length);
}

function parse(duration: unknown): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(
    typeof duration === "string" ? duration : "",
  ) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new TypeError(
      `Cannot use duration ${shown(duration)}: ` +
        `expected milliseconds or a text such as "250ms", "30s", "5m", "2h" or "1d"`,
    );
  }
  return Number(amount) * (units.get(unit) ?? 1);
}

function shown(duration: unknown): string {
  if (typeof duration === "string") return JSON.stringify(duration);
  return typeof duration === "number" ? `${duration}` : `of type ${typeof duration}`;
}
