import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { milliseconds } from "../../src/core/duration.ts";

describe("milliseconds()", () => {
  it("reads every unit, and ten years", () => {
    const read = [0, 1.4, 250, "250ms", "1.5s", "5m", "2h", "1d", "3650d"].map(milliseconds);

    assertEquals(read, [0, 1, 250, 250, 1_500, 300_000, 7_200_000, 86_400_000, 315_360_000_000]);
  });

  for (const duration of [-1, NaN, Infinity, "36526d", 2 ** 53]) {
    it(`refuses a length of ${duration}`, () => {
      assertThrows(() => milliseconds(duration), RangeError, `Cannot use duration`);
    });
  }

  for (const duration of ["", "5", "5 m", "-5m", "1e3ms", "0x5s", "5w", "5M", "m", null, {}, 5n]) {
    it(`refuses ${typeof duration} ${String(duration)}`, () => {
      assertThrows(() => milliseconds(duration), TypeError, "expected milliseconds or a text");
    });
  }
});
