import { HephaestusError } from "./base.ts";

/** What is wrong at one place of a value. The message continues "value at ...". */
export interface Problem {
  /** Where in the value, for instance `"items[3].when"`; empty for the value itself. */
  readonly path: string;
  /** What is wrong there, for instance `"is a Date, which JSON cannot carry"`. */
  readonly message: string;
}

/**
 * Says that a value is not what its place allows: JSON cannot carry it, or its schema refuses it.
 *
 * @example Read where
 * ```ts
 * import { InvalidValueError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const problems = [{ path: "items[3].when", message: "is a Date, which JSON cannot carry" }];
 * assertEquals(
 *   new InvalidValueError({ what: 'output of step "charge"', problems }).message,
 *   'Cannot store output of step "charge": value at "items[3].when" is a Date, which JSON cannot carry',
 * );
 * ```
 */
export class InvalidValueError extends HephaestusError {
  static {
    this.prototype.name = "InvalidValueError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "INVALID_VALUE";
  /** What the value is, for instance `'output of step "charge"'`. */
  readonly what: string;
  /** What is wrong with it, place by place. */
  readonly problems: readonly Problem[];

  /** Makes the sentence of the first five problems. */
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
 * Says that a value takes more bytes than the limit allows.
 *
 * @example Read how far beyond the limit it is
 * ```ts
 * import { PayloadTooLargeError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new PayloadTooLargeError({ what: "input", size: 1_300_000, limit: 1_048_576 });
 * assertEquals(
 *   error.message,
 *   "Cannot store input: it has at least 1300000 bytes, the limit is 1048576",
 * );
 * ```
 */
export class PayloadTooLargeError extends HephaestusError {
  static {
    this.prototype.name = "PayloadTooLargeError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "PAYLOAD_TOO_LARGE";
  /** What the value is, for instance `'output of step "charge"'`. */
  readonly what: string;
  /** The bytes counted when the limit was passed: the value has at least this many. */
  readonly size: number;
  /** The bytes that it may take as JSON. */
  readonly limit: number;

  /** Makes the sentence of the value that takes too much. */
  constructor(of: { what: string; size: number; limit: number }, options?: ErrorOptions) {
    const { what, size, limit } = of;
    const sentence = `Cannot store ${what}: it has at least ${size} bytes, the limit is ${limit}`;
    super("PAYLOAD_TOO_LARGE", sentence, options);
    this.what = what;
    this.size = size;
    this.limit = limit;
  }
}
