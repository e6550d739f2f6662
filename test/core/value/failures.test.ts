import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type Failure, inForm, withFailure } from "../../../src/core/value/failure.ts";

const after = (attempts: number, failed: (attempt: number) => Failure): readonly Failure[] =>
  Array.from({ length: attempts }, (_, n) => failed(n + 1))
    .reduce<readonly Failure[]>(withFailure, []);
const named = (attempt: number): Failure => ({ name: "Error", message: `attempt ${attempt}` });

describe("the failures of many attempts", () => {
  it("are all kept while they are few", () => {
    assertEquals(after(10, named), Array.from({ length: 10 }, (_, n) => named(n + 1)));
  });

  it("are the first and the last nine, with how many were left out", () => {
    for (const attempts of [11, 12, 300]) {
      const kept = after(attempts, named);

      assertEquals(kept.map(({ message }) => message), [
        "attempt 1",
        ...Array.from({ length: 9 }, (_, n) => `attempt ${attempts - 8 + n}`),
      ]);
      assertEquals(kept.map(({ omitted }) => omitted), [
        undefined,
        attempts - 10,
        ...Array(8).fill(undefined),
      ]);
    }
  });

  it("are bounded by their size too, and the first and the last are always there", () => {
    for (const size of [7_000, 15_000, 40_000]) {
      const kept = after(300, (attempt) => ({ ...named(attempt), stack: "x".repeat(size) }));

      assert(JSON.stringify(kept).length < 64_000 + size, `${size}`);
      assertEquals([kept[0]?.message, kept.at(-1)?.message], ["attempt 1", "attempt 300"]);
      assertEquals(kept.length + (kept[1]?.omitted ?? 0), 300);
    }
  });
});

describe("a failure in ASCII", () => {
  it("has nothing that an encoding could lack, at any depth, and no stack", () => {
    const failed: Failure = {
      name: "\u00c4rger",
      message: "a \u{1f4a5}\n",
      code: "\u00fc",
      stack: "at \u{1f4a5}",
      cause: { name: "Error", message: "\u0000\u20ac", stack: "x" },
      omitted: 2,
    };

    assertEquals(inForm(failed, "plain"), {
      name: "?rger",
      message: "a ??",
      code: "?",
      cause: { name: "Error", message: "??" },
      omitted: 2,
    });
  });
});
