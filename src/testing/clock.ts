import { type Duration, milliseconds } from "../core/value/duration.ts";
import type { Clock } from "../memory/clock.ts";
import { nextDue, untilNothingIsDue } from "./due.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time forward and wakes whoever waits for it.
   *
   * @throws {TypeError} When the duration is a number or another text than a number with its unit.
   * @throws {RangeError} When the duration is negative or longer than a century.
   */
  advance(duration: Duration): void;
  /**
   * Lets the time pass from one due job to the next, until the duration is over: timers of timers
   * fire too, each at its time. Whoever works on the backend must run. `patience` is how many
   * milliseconds it waits for the jobs of one moment; default 10,000.
   *
   * @throws {RangeError} When the duration is negative or longer than a century.
   * @throws {Error} When jobs are still due after `patience`, for instance because nobody works.
   */
  run(duration: Duration, options?: { readonly patience?: number }): Promise<void>;
}

/**
 * Makes a clock that stands still until it is told to move, for a memory backend whose timers and
 * retries a test wants to see at once.
 *
 * @param start Milliseconds since 1970 to begin with; default: the first day of 2026.
 *
 * @example Let half an hour pass
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
