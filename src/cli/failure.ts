import { HephaestusError } from "../core/errors.ts";
import { describe } from "../postgres/connection_error.ts";

/** Says that the command was not written as it should be. */
export class UsageError extends Error {
  static {
    this.prototype.name = "UsageError";
  }
}

/** What went wrong, for a person: one sentence, no stack, no password. */
export function sentenceOf(error: unknown, url: string | undefined): string {
  return withoutPassword(plain(error), url);
}

function plain(error: unknown): string {
  if (error instanceof HephaestusError || error instanceof UsageError) return error.message;
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  const described = describe(error);
  const reason = error instanceof Error ? error.message : String(error);
  return described.code === "DATABASE_FAILED"
    ? `${described.message}: ${reason}`
    : described.message;
}

function withoutPassword(text: string, url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return text;
  const { password } = new URL(url);
  return [url, password, decoded(password)].reduce(
    (shown, secret) => secret === "" ? shown : shown.replaceAll(secret, "***"),
    text,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
