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
  return error instanceof Error ? error.message : String(error);
}
