import { HephaestusError } from "./base.ts";

/**
 * A problem at one path of a value. Its message completes a sentence that begins "value at ...".
 */
export interface Problem {
  /** The path within the value, for instance `"items[3].when"`; empty for the value itself. */
  readonly path: string;
  /** What is wrong there, for instance `"is a Date, which JSON cannot represent"`. */
  readonly message: string;
}

/**
 * Thrown when a value cannot be stored as JSON or its schema rejects it.
 *
 * @example Read where the problem is
 * ```ts
 * import { InvalidValueError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const problems = [{ path: "items[3].when", message: "is a Date, which JSON cannot represent" }];
 * assertEquals(
 *   new InvalidValueError({ what: 'output of step "charge"', problems }).message,
 *   'Cannot store output of step "charge": ' +
 *     'value at "items[3].when" is a Date, which JSON cannot represent',
 * );
 * ```
 */
export class InvalidValueError extends HephaestusError {
  static {
    this.prototype.name = "InvalidValueError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "INVALID_VALUE";
  /** What the value is, for instance `'output of step "charge"'`. */
  readonly what: string;
  /** Everything that is wrong with the value, one entry per path. */
  readonly problems: readonly Problem[];

  /** Builds the message from the first five problems. */
  constructor(
    of: { what: string; problems: readonly Problem[]; action?: string },
    options?: ErrorOptions,
  ) {
    const shown = of.problems.slice(0, 5).map(({ path, message }) =>
      path === "" ? `value ${message}` : `value at "${path}" ${message}`
    );
    if (of.problems.length > 5) shown.push(`and ${of.problems.length - 5} more`);
    const sentence = `Cannot ${of.action ?? "store"} ${of.what}: ${shown.join(", ")}`;
    super("INVALID_VALUE", sentence, options);
    this.what = of.what;
    this.problems = of.problems;
  }
}

/**
 * Thrown when a value is larger than the limit in bytes.
 *
 * @example Read by how much the value exceeds the limit
 * ```ts
 * import { PayloadTooLargeError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new PayloadTooLargeError({ what: "input", size: 1_300_000, limit: 1_048_576 });
 * assertEquals(
 *   error.message,
 *   "Cannot store input: it has at least 1300000 bytes, and the limit is 1048576",
 * );
 * ```
 */
export class PayloadTooLargeError extends HephaestusError {
  static {
    this.prototype.name = "PayloadTooLargeError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "PAYLOAD_TOO_LARGE";
  /** What the value is, for instance `'output of step "charge"'`. */
  readonly what: string;
  /** The number of bytes when counting stopped at the limit: the value has at least this many. */
  readonly size: number;
  /** The maximum size as JSON in bytes. */
  readonly limit: number;

  /** Builds the message from the value, its size and the limit. */
  constructor(of: { what: string; size: number; limit: number }, options?: ErrorOptions) {
    const { what, size, limit } = of;
    const sentence =
      `Cannot store ${what}: it has at least ${size} bytes, and the limit is ${limit}`;
    super("PAYLOAD_TOO_LARGE", sentence, options);
    this.what = what;
    this.size = size;
    this.limit = limit;
  }
}
