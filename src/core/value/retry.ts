import { type Duration, milliseconds } from "./duration.ts";

/**
 * How often and how soon a failed attempt is retried. A field that a step omits is taken from the
 * workflow, and then from the engine. Default: 5 attempts, exponential from 1 to 60 seconds.
 *
 * @example Make ten attempts, five seconds apart
 * ```ts
 * import { type RetryPolicy, step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const patient: RetryPolicy = { attempts: 10, backoff: "constant", base: "5s" };
 * const send = step("send", {
 *   events: { sent: type() },
 *   retry: patient,
 *   run: ({ emit }) => emit.sent(),
 * });
 * assertEquals(send.definition.retry, patient);
 * ```
 */
export interface RetryPolicy {
  /** The number of attempts, including the first one. */
  readonly attempts?: number;
  /** How the delay grows: it doubles with jitter, grows by `base`, or stays the same. */
  readonly backoff?: "exponential" | "linear" | "constant";
  /** The delay after the first attempt. */
  readonly base?: Duration;
  /** The maximum delay. */
  readonly max?: Duration;
}

/** A retry policy with all fields set. Times are in milliseconds. */
export interface Retry {
  /** The number of attempts. */
  readonly attempts: number;
  /** How the delay grows. */
  readonly backoff: "exponential" | "linear" | "constant";
  /** The delay after the first attempt, in milliseconds. */
  readonly base: number;
  /** The maximum delay in milliseconds. */
  readonly max: number;
}

/** Used for fields that no policy sets. */
export const defaultRetry: Retry = Object.freeze({
  attempts: 5,
  backoff: "exponential",
  base: 1_000,
  max: 60_000,
});

/** Merges policies field by field. The first policy that sets a field wins. */
export function resolveRetry(...policies: readonly (RetryPolicy | undefined)[]): Retry {
  const pick = <K extends keyof RetryPolicy>(field: K): RetryPolicy[K] | undefined =>
    policies.find((policy) => policy?.[field] !== undefined)?.[field];
  const time = (field: "base" | "max"): number => {
    const given = pick(field);
    return given === undefined ? defaultRetry[field] : milliseconds(given, field);
  };
  const attempts = Number(pick("attempts") ?? defaultRetry.attempts);
  const backoff = pick("backoff") ?? defaultRetry.backoff;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 1_000_000) {
    throw new RangeError(
      `Cannot retry with ${attempts} attempts: expected a whole number from 1 to 1000000`,
    );
  }
  if (backoff !== "exponential" && backoff !== "linear" && backoff !== "constant") {
    throw new TypeError(
      `Cannot retry with backoff "${
        String(backoff)
      }": expected "exponential", "linear" or "constant"`,
    );
  }
  return {
    attempts,
    backoff,
    base: time("base"),
    max: time("max"),
  };
}

/** Milliseconds from a failed attempt to the next one. Attempts are counted from 1. */
export function delay(retry: Retry, attempt: number, random: () => number): number {
  const full = Math.min(retry.max, growth(retry, Math.max(1, attempt)));
  const length = retry.backoff === "exponential" ? full * (0.5 + random() / 2) : full;
  return Math.max(1, Math.round(length));
}

function growth({ backoff, base }: Retry, attempt: number): number {
  switch (backoff) {
    case "exponential":
      // Beyond this the power would become infinite, and zero times infinity is NaN.
      return base * 2 ** Math.min(attempt - 1, 64);
    case "linear":
      return base * attempt;
    case "constant":
      return base;
  }
}
