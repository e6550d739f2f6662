import { isConnectionLost, isLockTimeout, isRetryable, sqlState } from "./errors.ts";

export interface RetryingOptions {
  /** Ends the retries; a running attempt is not interrupted. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the last error is thrown. Default: 30,000. */
  readonly deadline?: number;
  readonly backoff?: Backoff;
}

export interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly first: number;
  /** Maximum pause in milliseconds. */
  readonly most: number;
}

const quick: Backoff = { first: 20, most: 2_000 };

/**
 * Runs `work` again while the database is down or requests a retry. `work` must be fenced or
 * idempotent.
 */
export async function retrying<T>(
  work: (attempt: number) => Promise<T>,
  { signal, deadline = 30_000, backoff = quick }: RetryingOptions = {},
): Promise<T> {
  const end = performance.now() + deadline;
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      const pause = pauseAfter(attempt, backoff);
      if (!passes(error) || performance.now() + pause > end) throw error;
      await sleep(pause, signal);
    }
  }
}

/**
 * Whether the same work may succeed later, including when the server lacks resources or was too
 * slow.
 */
function passes(error: unknown): boolean {
  return isRetryable(error) || isLockTimeout(error) || isConnectionLost(error) ||
    /^(53...|57014)$/.test(sqlState(error));
}

/** Milliseconds to wait after an attempt: doubled each time, with up to half of it random. */
export function pauseAfter(attempt: number, { first, most }: Backoff): number {
  return Math.min(first * 2 ** (attempt - 1), most) * (0.5 + Math.random() / 2);
}

/** Rejects with the signal's reason when it aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const wake = () => (clearTimeout(timer), reject(signal?.reason));
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", wake);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
