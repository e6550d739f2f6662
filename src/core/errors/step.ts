import { type Duration, milliseconds } from "../value/duration.ts";
import { HephaestusError } from "./base.ts";

/**
 * Thrown by a step that must not be tried again: the step fails at once.
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
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "FATAL";

  /** Takes the sentence as it is. */
  constructor(message: string, options?: ErrorOptions) {
    super("FATAL", message, options);
  }
}

/**
 * Thrown by a step that is to run again later, without using up an attempt.
 *
 * @example Wait for a gateway that asks for patience
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
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "RETRY_LATER";
  /** How long to wait before the step runs again. */
  readonly after: Duration;
  /** Why; it stands in the message. */
  readonly reason: string | undefined;

  /**
   * Asks for another run `after` a while.
   *
   * @throws {TypeError | RangeError} When `after` is no duration.
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
 * Says that an attempt of a step took longer than its time limit. `limit` in milliseconds.
 *
 * @example Read how long it was given
 * ```ts
 * import { StepTimeoutError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new StepTimeoutError({ step: "charge", limit: 30_000 }).message,
 *   'Cannot finish step "charge": its time limit of 30000 ms has passed',
 * );
 * ```
 */
export class StepTimeoutError extends HephaestusError {
  static {
    this.prototype.name = "StepTimeoutError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "STEP_TIMEOUT";
  /** Name of the step. */
  readonly step: string;
  /** The time limit in milliseconds. */
  readonly limit: number;

  /** Makes the sentence of the attempt that took too long. */
  constructor(of: { step: string; limit: number }, options?: ErrorOptions) {
    const sentence = `Cannot finish step "${of.step}": its time limit of ${of.limit} ms has passed`;
    super("STEP_TIMEOUT", sentence, options);
    this.step = of.step;
    this.limit = of.limit;
  }
}
