/**
 * Whether the backend could not be reached, or could not do it then, whatever it was asked for. What was written is
 * fenced, so it is tried again.
 */
export function isUnreachable(error: unknown): boolean {
  const code = memberOf(error, "code");
  return code === "DATABASE_UNREACHABLE" || code === "DATABASE_UNAVAILABLE";
}

/**
 * A member of what was thrown. Errors are told apart by their `code`: another copy of this package has classes of its own. Asking a
 * revoked proxy or a getter may throw.
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
