/** The command line is invalid. */
export class UsageError extends Error {
  static {
    this.prototype.name = "UsageError";
  }
}

/** Describes an error for a person: one sentence without a stack, a password or a URL. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
