import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decode, encode } from "../../../src/core/value/json.ts";
import { migrated } from "../../pg.ts";

/**
 * Names of the same length in UTF-8, mostly. UTF-16 writes what is beyond U+FFFF as surrogates, which
 * it puts before U+E000 to U+FFFF; in UTF-8 it comes behind.
 */
const sameLength = fc.array(
  fc.constantFrom("\u{10000}", "😀", "\u{10ffff}", "\ue000", "ｆ", "\ufffd", "é", "a"),
  { minLength: 1, maxLength: 4 },
).map((characters) => {
  const text = characters.join("");
  return text + "~".repeat(Math.max(0, 12 - new TextEncoder().encode(text).length));
});

/** Whether the names that follow each other here would stand the other way round by their code units. */
function inversions(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  const here = names.filter((name, at) =>
    at > 0 && names[at - 1]!.length === name.length && names[at - 1]! > name
  );
  return Object.values(value).reduce((sum: number, one) => sum + inversions(one), here.length);
}

describe("the order of members", () => {
  it("is that of jsonb for every value", async () => {
    await using database = await migrated();
    const name = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 3 }),
      { arbitrary: sameLength, weight: 6 },
      fc.constantFrom("10", "9", "a", "ab", "B", "é", "ｆ", "😀", "constructor"),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(name, tie("value"), { maxKeys: 6 }),
      ),
    }));
    const texts: string[] = [];
    fc.assert(
      fc.property(value, (value) => {
        try {
          texts.push(encode(value, { what: "value", limit: 100_000 }));
        } catch {
          // Lone surrogates, U+0000 and the like have no text.
        }
      }),
      { numRuns: 2_000 },
    );

    const rows = await database.sql<{ stored: string }[]>`
      select one::jsonb::text as stored from unnest(${texts}::text[]) with ordinality as each (one, at) order by at`;

    assert(rows.length > 1_000, `${rows.length} values`);
    const inverted = rows.filter(({ stored }) => inversions(JSON.parse(stored)) > 0).length;
    assert(inverted > 50, `${inverted} values would be in another order by their code units`);
    rows.forEach(({ stored }, at) => {
      assertEquals(JSON.stringify(decode(texts[at]!)), JSON.stringify(decode(stored)));
    });
  });
});
