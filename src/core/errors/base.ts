/** Identifies an error where `instanceof` does not work, for instance across a process boundary. */
export type ErrorCode =
  | "WORKFLOW_DEFINITION"
  | "ALREADY_RUNNING"
  | "INSTANCE_NOT_FOUND"
  | "NOT_WAITING"
  | "NOT_CANCELLABLE"
  | "NOT_COMPLETED"
  | "NOT_DELETABLE"
  | "UNKNOWN_WORKFLOW"
  | "GRAPH_CHANGED"
  | "SCHEMA_VERSION"
  | "AMBIGUOUS_KEY"
  | "INVALID_VALUE"
  | "PAYLOAD_TOO_LARGE"
  | "JOB_NOT_FOUND"
  | "FATAL"
  | "RETRY_LATER"
  | "STEP_TIMEOUT"
  | "DISCARDED"
  | "CANCELLED"
  | "CLOSED"
  | "UNDECLARED_EVENT"
  | "DATABASE_REFUSED"
  | "DATABASE_UNREACHABLE"
  | "DATABASE_UNAVAILABLE"
  | "DATABASE_FAILED"
  | "POOL_EXHAUSTED"
  | "ROUNDS_USED_UP"
  | "UNDO_FAILED"
  | "INVALID_TIME"
  | "DEADLINE"
  | "NOT_RETRYABLE"
  | "CHILD_FAILED"
  | "CHILD_CANCELLED"
  | "CHILD_UNDONE"
  | "CHILD_GONE"
  | "CHILD_KEY_TAKEN"
  | "CHILD_TOO_DEEP"
  | "INVALID_CHILD"
  | "UNKNOWN_OUTCOME"
  | "NOT_REWINDABLE"
  | "NOT_FORKABLE"
  | "INVALID_ITEMS"
  | "ITEMS_CHANGED";

/**
 * The base class of all errors that a caller may want to catch.
 *
 * @example Recognize errors of this library
 * ```ts
 * import { FatalError, HephaestusError } from "@hephaestus/workflow";
 * import { assert } from "@std/assert";
 *
 * assert(new FatalError("The card was stolen") instanceof HephaestusError);
 * ```
 */
export class HephaestusError extends Error {
  // Set on the prototype so that the name survives minification. Unlike an own field, it also
  // appears at the top of the stack.
  static {
    this.prototype.name = "HephaestusError";
  }
  /** Identifies the error where `instanceof` does not work. */
  readonly code: ErrorCode;

  /** Uses the message as it is. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Names as part of a sentence: the first ten, and how many more there are. */
export function listed(names: readonly (string | number)[]): string {
  const shown = names.slice(0, 10).map((name) => typeof name === "string" ? `"${name}"` : name);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
