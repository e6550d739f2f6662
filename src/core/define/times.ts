import { HephaestusError } from "../errors/base.ts";
import { isPromise, unawaited } from "../value/promise.ts";
import { type Due, due, type Time } from "../value/time.ts";
import { callUserCode } from "../value/user_code.ts";

/** What a function that computes a time receives. */
export interface TimeContext<In = unknown, Steps = Readonly<Record<string, unknown>>> {
  /** The input of the instance. */
  readonly input: In;
  /** The outputs of the steps in `needs`, by name. */
  readonly steps: Steps;
}

/**
 * A time, or a function that computes it. The function must be pure and synchronous: the same
 * context gives the same time.
 */
export type TimeOption<In, Steps> = Time | ((context: TimeContext<In, Steps>) => Time);

/** The time of a step as data: fixed, or computed when it begins to count. */
export type StepTime = Due | ((context: TimeContext) => unknown);

/** The options that are times. */
export type TimeName = "after" | "expires" | "timeout" | "deadline";

/** Validates a time. A fixed length of 0 is only for a timer. */
export function timeOption(
  options: Readonly<Record<string, unknown>>,
  option: TimeName,
  refuse: (why: string, cause?: unknown) => Error,
): StepTime | undefined {
  const value = options[option];
  if (value === undefined && option !== "after") return undefined;
  if (typeof value === "function") return (context) => Reflect.apply(value, options, [context]);
  let time: Due;
  try {
    time = due(value, option === "after" ? undefined : option);
  } catch (error) {
    throw refuse(clause(error), error);
  }
  if (time !== 0 || option === "after") return time;
  throw refuse(`option "${option}" must be longer than 0 milliseconds`);
}

/** What a time belongs to, for the sentence of an error. */
export interface TimeOwner {
  readonly kind: string;
  readonly name: string;
}

/**
 * Computes a time. A computed time may be 0 or in the past: it is due at once.
 *
 * @throws {HephaestusError} With the code `INVALID_TIME`, when the function throws or returns
 * anything else.
 */
export function timeOf(
  time: StepTime,
  { kind, name }: TimeOwner,
  option: TimeName,
  context: TimeContext,
): Due {
  if (typeof time !== "function") return time;
  try {
    const returned = callUserCode(() => time(context));
    if (isPromise(returned)) {
      unawaited(returned);
      throw new TypeError("Its function must be synchronous, but it has returned a promise");
    }
    return due(returned);
  } catch (error) {
    throw new HephaestusError(
      "INVALID_TIME",
      `Cannot compute option "${option}" of ${kind} "${name}": ${clause(error)}`,
      { cause: error },
    );
  }
}

/** The message of an error as a clause for the middle of another sentence. */
export function clause(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toLowerCase() + text.slice(1);
}
