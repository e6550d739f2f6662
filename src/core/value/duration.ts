/**
 * A duration: a number with one of the units `ms`, `s`, `m`, `h`, `d` and `w`.
 *
 * A bare number is rejected because its unit is not visible. Only `0` needs no unit.
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
export type Duration = 0 | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

const units: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

const century = 36_525 * 86_400_000;

/** The longest delay of a JavaScript timer in milliseconds. A longer one fires at once. */
export const longestTimer: number = 2 ** 31 - 1;

/**
 * The length of a duration in whole milliseconds. Accepts `unknown`, because plain JavaScript can
 * pass anything.
 *
 * @param option The option that the duration is for, if errors should name it.
 */
export function milliseconds(duration: unknown, option?: string): number {
  if (duration === 0) return 0;
  const what = `Cannot use duration ${shown(duration)}${option ? ` as option "${option}"` : ""}`;
  if (typeof duration === "number") {
    const amount = duration > 0 && duration <= 36_525 ? duration : 7;
    throw new TypeError(
      `${what}: a number has no unit. Use a string such as "${amount}s" or "${amount}d"`,
    );
  }
  const [, amount, unit] = typeof duration === "string" ? text.exec(duration) ?? [] : [];
  if (amount === undefined || unit === undefined) {
    throw new TypeError(
      `${what}: expected one number and one unit (ms, s, m, h, d or w), ` +
        `such as "250ms", "30s", "90m" or "7d"`,
    );
  }
  const length = Number(amount) * (units.get(unit) ?? 1);
  if (length >= 0 && length <= century) return Math.round(length);
  throw new RangeError(`${what}: it must be between 0 milliseconds and 36525 days`);
}

// The number formats that a template literal can produce, including `${5e-7}s`.
const text = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(ms|s|m|h|d|w)$/;

function shown(duration: unknown): string {
  if (typeof duration === "string") return JSON.stringify(duration);
  return typeof duration === "number" ? `${duration}` : `of type ${typeof duration}`;
}
