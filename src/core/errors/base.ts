/** Says which error it is where `instanceof` cannot, for instance behind a process boundary. */
export type ErrorCode =
  | "WORKFLOW_DEFINITION"
  | "ALREADY_RUNNING"
  | "INSTANCE_NOT_FOUND"
  | "NOT_WAITING"
  | "NOT_CANCELLABLE"
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
  | "CANCELLED"
  | "CLOSED"
  | "UNDECLARED_EVENT"
  | "DATABASE_REFUSED"
  | "DATABASE_UNREACHABLE"
  | "DATABASE_UNAVAILABLE"
  | "DATABASE_FAILED"
  | "POOL_EXHAUSTED";

/**
 * The base of all errors that a caller may want to catch.
 *
 * @example Tell them from others
 * ```ts
 * import { FatalError, HephaestusError } from "@hephaestus/workflow";
 * import { assert } from "@std/assert";
 *
 * assert(new FatalError("The card was stolen") instanceof HephaestusError);
 * ```
 */
export class HephaestusError extends Error {
  // Here it survives minification and, unlike an own field, heads the stack.
  static {
    this.prototype.name = "HephaestusError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  readonly code: ErrorCode;

  /** Takes the sentence as it is. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Names in a sentence: the first ten, and how many more there are. */
export function listed(names: readonly (string | number)[]): string {
  const shown = names.slice(0, 10).map((name) => typeof name === "string" ? `"${name}"` : name);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
