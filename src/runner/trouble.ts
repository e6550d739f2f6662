import { HephaestusError } from "../core/errors.ts";

/**
 * Whether the backend could not be reached, or could not do it then, whatever it was asked for. What was written is
 * fenced, so it is tried again.
 */
export function isUnreachable(error: unknown): boolean {
  return isOf(HephaestusError, error) &&
    (error.code === "DATABASE_UNREACHABLE" || error.code === "DATABASE_UNAVAILABLE");
}

/** `instanceof` for what user code has thrown: a revoked proxy throws when it is asked. */
export function isOf<E extends Error>(
  kind: abstract new (...parameters: never[]) => E,
  thrown: unknown,
): thrown is E {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

const pauseMs = 500;

/** Waits a moment. False when `signal` has aborted. */
export function pause(signal: AbortSignal, milliseconds: number = pauseMs): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const abort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve(true);
    }, milliseconds);
    signal.addEventListener("abort", abort, { once: true });
  });
}
