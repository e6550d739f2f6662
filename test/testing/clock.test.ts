import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { fakeClock } from "../../src/testing/clock.ts";

describe("fakeClock()", () => {
  it("stands still until it is moved", () => {
    const clock = fakeClock(1_000);

    assertEquals([clock.now(), clock.now()], [1_000, 1_000]);
    clock.advance("2m");
    clock.advance("5ms");

    assertEquals(clock.now(), 121_005);
  });

  it("tells of every move, until that is not wanted any more", () => {
    const clock = fakeClock(0);
    const seen: number[] = [];

    const stop = clock.onMove?.(() => seen.push(clock.now()));
    clock.advance("1ms");
    clock.advance("2ms");
    stop?.();
    clock.advance("3ms");

    assertEquals(seen, [1, 3]);
  });

  it("does not go back", () => {
    assertThrows(() => fakeClock().advance("-1ms"), RangeError);
  });
});
