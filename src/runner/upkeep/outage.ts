import { longestTimer } from "../../core/value/duration.ts";
import { onAbort } from "./on_abort.ts";

/**
 * Whether the backend could not be reached, or could not do it then, whatever it was asked for.
 * What was written is fenced, so it is tried again.
 */
export function isUnreachable(error: unknown): boolean {
  const code = memberOf(error, "code");
  return code === "DATABASE_UNREACHABLE" || code === "DATABASE_UNAVAILABLE";
}

/**
 * A member of what was thrown. Errors are told apart by their `code`: another copy of this package
 * has classes of its own. Asking a revoked proxy or a getter may throw.
 */
export function memberOf(thrown: unknown, name: string): unknown {
  try {
    return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
  } catch {
    return undefined;
  }
}

const pauseMs = 500;

/** Waits a moment. False when `signal` has aborted. */
export function pause(signal: AbortSignal, milliseconds: number = pauseMs): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve(false);
    });
    const timer = setTimeout(() => {
      forget();
      resolve(true);
    }, Math.min(milliseconds, longestTimer));
  });
}

/**
 * Waits for `work`, though not when `signal` has aborted: what it comes to is nobody's business
 * then.
 */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => resolve(undefined));
    work.then(resolve, reject).finally(forget);
  });
}

/**
 * Waits for `work` for so many milliseconds. False when it takes longer: it goes on then, and what
 * it comes to is dropped.
 */
export async function within(milliseconds: number, work: Promise<void>): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), milliseconds);
  await unlessAborted(late.signal, work).finally(() => clearTimeout(timer));
  return !late.signal.aborted;
}
