import { type Duration, milliseconds } from "../core/duration.ts";
import type { Clock } from "../memory/clock.ts";

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves the time forward and wakes whoever waits for it.
   *
   * @throws {TypeError} When the duration is a number or another text than a number with its unit.
   * @throws {RangeError} When the duration is negative or longer than a century.
   */
  advance(duration: Duration): void;
}

/**
 * Makes a clock that stands still until it is told to move, for a memory backend whose timers and retries a test wants to
 * see at once.
 *
 * @param start Milliseconds since 1970 to begin with; the first day of 2026 unless told.
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
  const listeners = new Set<() => void>();
  return {
    now: () => now,
    advance(duration) {
      now += milliseconds(duration);
      for (const moved of [...listeners]) moved();
    },
    onMove(moved) {
      listeners.add(moved);
      return () => listeners.delete(moved);
    },
  };
}
