import { type Duration, milliseconds } from "../value/duration.ts";
import { HephaestusError } from "./base.ts";

/**
 * Thrown by a step to fail at once, without further attempts.
 *
 * @example Give up on a stolen card
 * ```ts
 * import { FatalError } from "@hephaestus/workflow";
 *
 * const charge = (card: { stolen: boolean }) => {
 *   if (card.stolen) throw new FatalError("The card was stolen");
 * };
 * charge({ stolen: false });
 * ```
 */
export class FatalError extends HephaestusError {
  static {
    this.prototype.name = "FatalError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "FATAL";

  /** Uses the message as it is. */
  constructor(message: string, options?: ErrorOptions) {
    super("FATAL", message, options);
  }
}

/**
 * Thrown by a step to run again later without using up an attempt.
 *
 * @example Wait until a rate-limited gateway accepts requests
 * ```ts
 * import { RetryLaterError } from "@hephaestus/workflow";
 *
 * const check = (status: number) => {
 *   if (status === 429) throw new RetryLaterError({ after: "30s", reason: "too many requests" });
 * };
 * check(200);
 * ```
 */
export class RetryLaterError extends HephaestusError {
  static {
    this.prototype.name = "RetryLaterError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "RETRY_LATER";
  /** The delay before the step runs again. */
  readonly after: Duration;
  /** The reason. It is part of the message. */
  readonly reason: string | undefined;

  /**
   * Requests another run after the delay `after`.
   *
   * @throws {TypeError | RangeError} When `after` is not a valid duration.
   */
  constructor(of: { after: Duration; reason?: string }, options?: ErrorOptions) {
    milliseconds(of.after, "after");
    const reason = of.reason === undefined ? "" : `: ${of.reason}`;
    super("RETRY_LATER", `Cannot finish yet${reason}`, options);
    this.after = of.after;
    this.reason = of.reason;
  }
}

/**
 * Thrown when an attempt of a step exceeds its time limit. `limit` is in milliseconds.
 *
 * @example Read the time limit
 * ```ts
 * import { StepTimeoutError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new StepTimeoutError({ step: "charge", limit: 30_000 }).message,
 *   'Cannot finish step "charge": it exceeded its time limit of 30000 ms',
 * );
 * ```
 */
export class StepTimeoutError extends HephaestusError {
  static {
    this.prototype.name = "StepTimeoutError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "STEP_TIMEOUT";
  /** Name of the step. */
  readonly step: string;
  /** The time limit in milliseconds. */
  readonly limit: number;

  /** Builds the message from the step and its time limit. */
  constructor(of: { step: string; limit: number }, options?: ErrorOptions) {
    const sentence =
      `Cannot finish step "${of.step}": it exceeded its time limit of ${of.limit} ms`;
    super("STEP_TIMEOUT", sentence, options);
    this.step = of.step;
    this.limit = of.limit;
  }
}

/** Why an instance fails where a result has an event that its step does not declare. */
export function undeclaredEvent(of: { step: string; event: string }): HephaestusError {
  return new HephaestusError(
    "UNDECLARED_EVENT",
    `Cannot apply the result of step "${of.step}": it does not declare the event "${of.event}"`,
  );
}

/** Why an instance fails where an event would begin a round too many. */
export function roundsUsedUp(
  { to, limit }: { to: string; limit: number },
  { step, event }: { step: string; event: string },
): HephaestusError {
  return new HephaestusError(
    "ROUNDS_USED_UP",
    `The event "${step}.${event}" would lead back to "${to}", but its rounds are used up (limit ${limit})`,
  );
}
