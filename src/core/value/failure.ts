import { describe } from "./json.ts";

/** A thrown error as text that can be stored and shown: limited in size, with secrets masked. */
export interface Failure {
  /** Name of the error's class. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Its stack, if it had one. */
  readonly stack?: string;
  /** Its cause, at most five levels deep. */
  readonly cause?: Failure;
  /** Its `code`, if it had one. */
  readonly code?: string;
  /**
   * How many failures before this one were left out. Of many failures, the first and the last few
   * are kept.
   */
  readonly omitted?: number;
}

/** The output of the event `failed`: why a step failed for good. */
export interface StepFailure extends Failure {
  /** The number of attempts. */
  readonly attempts: number;
}

const unprintable: Failure = { name: "Error", message: "unprintable error" };

// For names, messages, codes and stacks together. The rest of the 16 kB is for the JSON around
// them.
const textBytes = 15_000;
const causesAtMost = 5;

/**
 * Converts any thrown value to text. Never throws: a value that cannot be read becomes "unprintable
 * error". The JSON of a failure is smaller than 16 kB. `secrets` and credentials in URLs are
 * masked.
 */
export function failure(thrown: unknown, secrets: readonly string[] = []): Failure {
  return read(thrown, { left: textBytes, secrets, seen: [] });
}

/** Turns a failure back into an error that can be thrown or shown. */
export function toError(failure: Failure): Error {
  const { name, message, stack, cause, code } = failure;
  const error = new Error(message, cause === undefined ? undefined : { cause: toError(cause) });
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  error.stack = stack ?? `${name}: ${message}`;
  return code === undefined ? error : Object.assign(error, { code });
}

interface Thrown {
  /** Name of the error's class. */
  readonly name?: unknown;
  /** Its message. */
  readonly message?: unknown;
  /** Its stack, if it had one. */
  readonly stack?: unknown;
  /** Its `code`, if it had one. */
  readonly code?: unknown;
  /** Its cause, at most five levels deep. */
  readonly cause?: unknown;
  readonly errors?: unknown;
}

interface Budget {
  /** Remaining bytes of text. */
  left: number;
  readonly secrets: readonly string[];
  readonly seen: unknown[];
}

function read(thrown: unknown, reading: Budget): Failure {
  reading.seen.push(thrown);
  try {
    if (typeof thrown === "string") return { name: "Error", message: clip(thrown, 4000, reading) };
    if (typeof thrown !== "object" || thrown === null) return notAnError(thrown, reading);
    return ofObject(thrown, reading);
  } catch {
    return unprintable;
  }
}

function ofObject(thrown: Thrown, reading: Budget): Failure {
  const { name, message, stack, code, cause, errors } = thrown;
  if (typeof message !== "string") {
    return typeof stack === "string" ? unprintable : notAnError(thrown, reading);
  }
  // The errors inside an AggregateError say more than its message, which is often empty.
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const why = cause ?? first;
  const includeCause = why !== undefined && why !== null && reading.seen.length <= causesAtMost &&
    !reading.seen.includes(why);
  // The most important text is clipped first, so that it gets the space. The members are in the
  // order in which the database returns them.
  const clipped = {
    name: typeof name === "string" && name !== "" ? clip(name, 100, reading) : "Error",
    message: clip(message, 4000, reading),
    code: typeof code === "string" || typeof code === "number"
      ? clip(`${code}`, 100, reading)
      : undefined,
    stack: typeof stack === "string" ? clip(stack, 6000, reading) : undefined,
  };
  return {
    ...(clipped.code === undefined ? {} : { code: clipped.code }),
    name: clipped.name,
    ...(includeCause && reading.left > 200 ? { cause: read(why, reading) } : {}),
    ...(clipped.stack === undefined ? {} : { stack: clipped.stack }),
    message: clipped.message,
  };
}

function notAnError(thrown: unknown, reading: Budget): Failure {
  const isText = typeof thrown === "number" || typeof thrown === "boolean";
  const what = isText ? `${thrown}` : describe(thrown);
  return { name: "Error", message: clip(`Thrown value is ${what}, not an error`, 200, reading) };
}

/** The longest prefix of a text that fits in `bytes` bytes of JSON, masked and well formed. */
function clip(text: string, bytes: number, reading: Budget): string {
  const room = Math.min(bytes, reading.left);
  const clean = wellFormed(
    mask(text.slice(0, 2 * bytes), text.length > 2 * bytes, reading.secrets),
  );
  let size = 0;
  let end = 0;
  for (const character of clean) {
    const next = size + jsonBytes(character);
    if (next > room) break;
    size = next;
    end += character.length;
  }
  reading.left -= size;
  return end < clean.length ? `${clean.slice(0, end)}...` : clean;
}

function jsonBytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return 6;
  if (character === '"' || character === "\\") return 2;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

function wellFormed(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, "\ufffd");
}

/**
 * `cut` means that the text was cut off here. A secret that begins at its end must be masked too.
 */
function mask(text: string, cut: boolean, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) if (secret !== "") masked = masked.replaceAll(secret, "***");
  masked = masked
    .replace(/\b(postgres(?:ql)?:\/\/)\S{1,1000}@/gi, "$1***@")
    .replace(/(:\/\/)[^\s/?#@]+@/g, "$1***@")
    .replace(/\b(password=)[^\s&"']+/gi, "$1***");
  if (!cut) return masked;
  const longest = Math.max(0, ...secrets.map((secret) => secret.length));
  masked = masked.slice(0, Math.max(0, masked.length - longest));
  const word = lastWord(masked);
  const credentials = masked.indexOf("://", word);
  return credentials < 0 ? masked : masked.slice(0, credentials);
}

function lastWord(text: string): number {
  let start = text.length;
  while (start > 0 && !/\s/.test(text.charAt(start - 1))) start--;
  return start;
}

const mostKept = 10;
const mostCharacters = 64_000;

/**
 * Appends a failure to the failures of earlier attempts and keeps the first and the last few. They
 * are read with every claim, so neither their number nor their size may grow with the attempts.
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

/** The failure without its stack, in characters that every database encoding has. */
function inAscii({ name, message, code, cause, omitted }: Failure): Failure {
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

/** How much of a failure is stored. Each time the database rejects one form, the next is tried. */
export type FailureForm = "whole" | "plain" | "bare";

/** Reduces a failure to a form. */
export function inForm(failure: Failure, form: FailureForm): Failure {
  return form === "whole" ? failure : form === "plain" ? inAscii(failure) : unstorable;
}

/** Replaces a failure when the database rejects every form of it. */
const unstorable: Failure = {
  name: "Error",
  message: "Cannot store the error of the step: the database rejected it",
};
