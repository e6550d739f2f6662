import type { Failure } from "./failure.ts";

const mostKept = 10;
const mostCharacters = 64_000;

/**
 * The failures of one attempt after another, with one more: the first and the last few. They are
 * read with every claim, so neither their number nor their size may grow with the attempts.
 */
export function withFailure(failures: readonly Failure[], latest: Failure): readonly Failure[] {
  const [first, ...rest] = failures;
  if (first === undefined) return [latest];
  const last = [...rest, latest];
  const room = mostCharacters - size(first);
  let left = last.reduce((sum, failure) => sum + size(failure), 0);
  let omitted = rest[0]?.omitted ?? 0;
  while (last.length > 1 && (last.length >= mostKept || left > room)) {
    left -= size(last.shift()!);
    omitted++;
  }
  const [oldest, ...newer] = last;
  return [first, { ...oldest!, ...(omitted > 0 && { omitted }) }, ...newer];
}

function size(failure: Failure): number {
  return JSON.stringify(failure).length;
}

/** The same in characters that every encoding of a database has, and without its stack. */
export function inAscii({ name, message, code, cause, omitted }: Failure): Failure {
  return {
    name: ascii(name),
    message: ascii(message),
    ...(code !== undefined && { code: ascii(code) }),
    ...(cause !== undefined && { cause: inAscii(cause) }),
    ...(omitted !== undefined && { omitted }),
  };
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, "?");
}

/** What is told of a failure when a database refuses to store anything of it. */
export const untold: Failure = {
  name: "Error",
  message: "Cannot tell how the step failed: the database refused to store it",
};
