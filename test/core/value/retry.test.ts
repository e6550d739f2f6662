import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { defaultRetry, delay, resolveRetry, type Retry } from "../../../src/core/value/retry.ts";

describe("resolveRetry()", () => {
  it("takes each field from the most specific policy that has it", () => {
    const step = { attempts: 2, max: "5m" } as const;
    const workflow = { attempts: 9, backoff: "linear", base: "2s" } as const;

    assertEquals(resolveRetry(step, undefined, workflow), {
      attempts: 2,
      backoff: "linear",
      base: 2_000,
      max: 300_000,
    });
    assertEquals(resolveRetry(), defaultRetry);
  });

  it("refuses what cannot be counted or is no backoff", () => {
    for (const attempts of [0, -1, 1.5, NaN, Infinity, 1_000_001]) {
      assertThrows(() => resolveRetry({ attempts }), RangeError, `${attempts} attempts`);
    }
    const word: string = "quadratic";
    // deno-lint-ignore no-explicit-any
    assertThrows(() => resolveRetry({ backoff: word as any }), TypeError, `backoff "quadratic"`);
  });
});

describe("delay()", () => {
  const retry = (backoff: Retry["backoff"]): Retry => ({
    ...{ attempts: 9, backoff, base: 100, max: 1_000 },
  });
  const attempts = [1, 2, 3, 4, 5, 20];

  it("doubles up to the longest, between half and all of it", () => {
    const low = attempts.map((attempt) => delay(retry("exponential"), attempt, () => 0));
    const high = attempts.map((attempt) => delay(retry("exponential"), attempt, () => 1));

    assertEquals(low, [50, 100, 200, 400, 500, 500]);
    assertEquals(high, [100, 200, 400, 800, 1_000, 1_000]);
  });

  it("grows by the base, or stays, without jitter", () => {
    const random = (): number => 0.3;

    assertEquals(attempts.map((attempt) => delay(retry("linear"), attempt, random)), [
      ...[100, 200, 300, 400, 500, 1_000],
    ]);
    assertEquals(attempts.map((attempt) => delay(retry("constant"), attempt, random)), [
      ...[100, 100, 100, 100, 100, 100],
    ]);
  });

  it("is a whole number from 1 to the longest, whatever the attempt", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Retry["backoff"]>("exponential", "linear", "constant"),
        fc.integer({ min: 0, max: 10 ** 12 }),
        fc.integer({ min: 1, max: 10 ** 12 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (backoff, base, max, attempt, random) => {
          const length = delay({ attempts: 5, backoff, base, max }, attempt, () => random);

          assert(Number.isSafeInteger(length) && length >= 1 && length <= max);
        },
      ),
      { examples: [["exponential", 1_000, 60_000, 10_000, 0.9], ["exponential", 0, 9, 10_000, 0]] },
    );
  });
});
