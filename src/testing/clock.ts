import { type Duration, milliseconds } from "../core/value/duration.ts";
import type { Clock } from "../memory/clock.ts";
import { nextDue, untilNothingIsDue } from "./due.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time forward and wakes everything that waits for it.
   *
   * @throws {TypeError} When the duration is not a string of a number and its unit.
   * @throws {RangeError} When the duration is negative or longer than a century.
   */
  advance(duration: Duration): void;
  /**
   * Moves the time forward from one due job to the next until the duration has passed. A timer that
   * starts another timer fires, and so does the second one, each at its own time. A worker must be
   * running. `patience` is how many milliseconds to wait for the jobs that are due at one moment.
   * Default: 10,000.
   *
   * @throws {RangeError} When the duration is negative or longer than a century.
   * @throws {Error} When jobs are still due after `patience`, for instance because no worker is
   * running.
   */
  run(duration: Duration, options?: { readonly patience?: number }): Promise<void>;
}

/**
 * Creates a clock that only moves when a test moves it. Pass it to a memory backend to test timers
 * and retries without waiting.
 *
 * @param start Initial time in milliseconds since 1970. Default: 1 January 2026 (UTC).
 *
 * @example Advance by half an hour
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fakeClock } from "@hephaestus/workflow/testing";
 *
 * const clock = fakeClock();
 * const before = clock.now();
 * clock.advance("30m");
 *
 * assertEquals(clock.now() - before, 1_800_000);
 * ```
 */
export function fakeClock(start: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  const listeners = new Map<() => void, Parameters<NonNullable<Clock["onMove"]>>[1]>();
  const set = (time: number) => {
    now = time;
    for (const moved of [...listeners.keys()]) moved();
  };
  return {
    now: () => now,
    advance(duration) {
      set(now + milliseconds(duration));
    },
    async run(duration, { patience = 10_000 } = {}) {
      const end = now + milliseconds(duration);
      for (let next = now; next <= end;) {
        set(Math.max(now, next));
        const backends = [...listeners.values()];
        for (const backend of backends) await untilNothingIsDue(backend, () => now, patience);
        next = Math.min(...backends.map((backend) => nextDue(backend) ?? Infinity));
      }
      set(end);
    },
    onMove(moved, backend) {
      listeners.set(moved, backend);
      return () => listeners.delete(moved);
    },
  };
}
