import { longestTimer } from "../../core/value/duration.ts";
import { onAbort } from "./on_abort.ts";

/**
 * Whether the backend could not be reached or was temporarily unable to answer. Every write is
 * fenced, so the request can be retried.
 */
export function isUnreachable(error: unknown): boolean {
  const code = memberOf(error, "code");
  return code === "DATABASE_UNREACHABLE" || code === "DATABASE_UNAVAILABLE";
}

/**
 * A property of a thrown value. Errors are distinguished by their `code`, because another copy of
 * this package has its own classes. Reading from a revoked proxy or a getter may throw.
 */
export function memberOf(thrown: unknown, name: string): unknown {
  try {
    return typeof thrown === "object" && thrown !== null ? Reflect.get(thrown, name) : undefined;
  } catch {
    return undefined;
  }
}

const pauseMs = 500;

/** Waits briefly. Returns false when `signal` has aborted. */
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

/** Waits for `work` until `signal` aborts. The result of `work` is ignored after that. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => resolve(undefined));
    work.then(resolve, reject).finally(forget);
  });
}

/**
 * Waits for `work` for at most so many milliseconds. Returns false when it takes longer: `work`
 * continues, and its result is ignored.
 */
export async function within(milliseconds: number, work: Promise<void>): Promise<boolean> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), milliseconds);
  await unlessAborted(late.signal, work).finally(() => clearTimeout(timer));
  return !late.signal.aborted;
}
