import { DatabaseError } from "./errors.ts";

const most = 65_533; // the driver counts one short of what the protocol's 16 bits carry

/** A value whose text depends on the parameter type that the server reports. */
export class Bound {
  readonly #textAs: (type: number) => string;
  /** Why the value cannot be written as that type. */
  refusal: unknown;

  constructor(textAs: (type: number) => string) {
    this.#textAs = textAs;
  }

  /**
   * The text of the value as the type with this oid. The driver calls it; the connection survives
   * an error.
   */
  as(type: number): string {
    try {
      return this.#textAs(type);
    } catch (error) {
      this.refusal = error;
      throw new DatabaseError("22P02", "A parameter could not be bound");
    }
  }
}

/** A parameter of a statement. */
export type Parameter = string | null | Bound;

/** Rejects what would break the connection for others, before the driver sees it. */
export function checkStatement(text: unknown, parameters: unknown = []): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot run a statement: its text must be a string, got ${kind(text)}`);
  }
  if (text.includes("\u0000")) {
    throw new TypeError("Cannot run a statement: its text contains a NUL character");
  }
  if (keepsParserBusy(text)) {
    throw new TypeError(
      "Cannot run a statement: it has thousands of comments without a space in between. They would keep the parser of " +
        "the server busy, which cannot be cancelled",
    );
  }
  if (!Array.isArray(parameters)) {
    throw new TypeError(
      `Cannot run a statement: its parameters must be an array, got ${kind(parameters)}`,
    );
  }
  if (parameters.length > most) {
    throw new TypeError(
      `Cannot run a statement: it has ${parameters.length} parameters, but at most ${most} can be sent`,
    );
  }
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i];
    if (typeof parameter === "string" || parameter === null || parameter instanceof Bound) continue;
    throw new TypeError(
      `Cannot run a statement: parameter $${i + 1} must be a string or null, got ${
        kind(parameter)
      }`,
    );
  }
}

const operators = /[~!@#^&|`?+\-*/%<>=]{1000,}/g;
const mostRead = 20_000_000;

/**
 * PostgreSQL's lexer reads a run of operator characters as one token, and reads it again after each
 * comment start inside it. 100,000 characters take minutes, during which it ignores cancel
 * requests.
 */
function keepsParserBusy(text: string): boolean {
  let read = 0;
  for (const [run] of text.matchAll(operators)) {
    read += run.length * (run.split("/*").length - 1);
  }
  return read > mostRead;
}

/** The type of a value, never the value. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  return /^[aeiou]/.test(typeof value) ? `an ${typeof value}` : `a ${typeof value}`;
}
