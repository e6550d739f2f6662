import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { milliseconds } from "../../../src/core/value/duration.ts";

describe("milliseconds()", () => {
  it("reads every unit, and ten years", () => {
    const read = [0, "0s", "1.4ms", "250ms", "1.5s", "5m", "2h", "1d", "1w", "3650d", "52w"];

    assertEquals(read.map((duration) => milliseconds(duration)), [
      ...[0, 0, 1, 250, 1_500, 300_000, 7_200_000, 86_400_000, 604_800_000],
      ...[315_360_000_000, 31_449_600_000],
    ]);
  });

  it("reads the numbers that a template literal writes", () => {
    assertEquals(milliseconds(`${0.1 + 0.2}s`), 300);
    assertEquals(milliseconds(`${5e-7}s`), 0);
    assertEquals(milliseconds(`${1e21}ms`.replace("e+21", "e+3")), 1_000);
  });

  it("refuses a number, whose unit nobody can see", () => {
    assertThrows(
      () => milliseconds(7, "expires"),
      TypeError,
      `Cannot use duration 7 as option "expires": a number has no unit. ` +
        `Use a string such as "7s" or "7d"`,
    );
  });

  for (const duration of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53]) {
    it(`refuses the number ${duration} with a text that could be meant`, () => {
      assertThrows(() => milliseconds(duration), TypeError, "a number has no unit");
      const { message } = assertThrows(() => milliseconds(duration), TypeError);
      const [, shown] = /such as "(.*)" or/.exec(message) ?? [];
      milliseconds(shown);
    });
  }

  for (const duration of ["-5m", "-0.1ms", "36526d", "5218w", "1e300d"]) {
    it(`refuses a length of ${duration}`, () => {
      assertThrows(
        () => milliseconds(duration),
        RangeError,
        `Cannot use duration "${duration}": it must be between 0 milliseconds and 36525 days`,
      );
    });
  }

  const texts = [
    "",
    "5",
    "5 m",
    "5M",
    "m",
    "7 dayz",
    "7days",
    "1h30m",
    "1y",
    "0x5s",
    " 5s",
    "5s\n",
  ];
  for (const duration of [...texts, "NaNs", "Infinityd", null, undefined, true, {}, [], 5n]) {
    it(`refuses ${typeof duration} ${JSON.stringify(String(duration))}`, () => {
      assertThrows(() => milliseconds(duration), TypeError, "expected one number and one unit");
    });
  }
});
