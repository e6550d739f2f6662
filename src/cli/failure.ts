import { HephaestusError } from "../core/errors/errors.ts";
import { describe } from "../postgres/driver/errors.ts";

/** Says that the command was not written as it should be. */
export class UsageError extends Error {
  static {
    this.prototype.name = "UsageError";
  }
}

/**
 * What went wrong, for a person: one sentence, no stack. No sentence has a password or a URL in it.
 */
export function sentenceOf(error: unknown): string {
  if (error instanceof HephaestusError || error instanceof UsageError) return error.message;
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  const described = describe(error);
  const reason = error instanceof Error ? error.message : String(error);
  return described.code === "DATABASE_FAILED"
    ? `${described.message}: ${reason}`
    : described.message;
}
