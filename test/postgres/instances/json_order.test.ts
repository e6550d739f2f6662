import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decode, encode } from "../../../src/core/value/json.ts";
import { migrated } from "../../pg.ts";

describe("the order of members", () => {
  it("is that of jsonb for every value", async () => {
    await using database = await migrated();
    const name = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 3 }),
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

    assertEquals(rows.length > 1_000, true);
    rows.forEach(({ stored }, at) => {
      assertEquals(JSON.stringify(decode(texts[at]!)), JSON.stringify(decode(stored)));
    });
  });
});
