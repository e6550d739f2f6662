import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { type AnyTransaction, callerOf } from "../../../src/postgres/user_sql/caller_libraries.ts";
import { database } from "../../pg.ts";
import { client, libraries } from "./caller_libraries.ts";

// Cast twice: some libraries offer no way to bind text to another type than text.
const insert = `insert into t (id, workflow_name, body, due, done, note)
  values ($1::text::int, $2, $3::text::jsonb, $4::text::timestamptz, $5::text::bool, $2 || ' ?')
  returning id::text, workflow_name, body::text, (due at time zone 'utc')::text as due_at,
    done::text, note`;
const values = ["1", "a 'b' $2 ?", '{"a": "1"}', "2024-02-29 12:00:00.123456+00", "true"];

for (const [library, begin] of Object.entries(libraries)) {
  describe(`a transaction of ${library}`, () => {
    it("takes text and gives text, and commits and rolls back with the caller", async () => {
      await using own = await database();
      await own.sql.unsafe(
        `create table t (id int primary key, workflow_name text, body jsonb, due timestamptz,
          done bool, note text)`,
      );
      await begin(own.url, async (caller) => {
        const tx = callerOf(caller);
        assertEquals(await tx.query(insert, values), [{
          id: "1",
          workflow_name: "a 'b' $2 ?",
          body: '{"a": "1"}',
          due_at: "2024-02-29 12:00:00.123456",
          done: "true",
          note: "a 'b' $2 ? ?",
        }]);
        assertEquals(await tx.query("select jsonb_typeof(body) as type, null as n from t"), [
          { type: "object", n: null },
        ]);
        assertEquals(await tx.query("update t set note = $1", [null]), []);
      });
      const undone = begin(own.url, async (caller) => {
        await callerOf(caller).query(insert, ["2", ...values.slice(1)]);
        throw new RangeError("mine");
      });
      await assertRejects(() => undone, RangeError);
      assertEquals([...await own.sql`select id, note from t`], [{ id: 1, note: null }]);
    });

    it("refuses a parameter that is no text before the library sees it", async () => {
      await using own = await database();
      await begin(own.url, async (caller) => {
        const tx = callerOf(caller);
        for (const bad of [1n, undefined, {}, 5]) {
          await assertRejects(
            () => tx.query("select $1", [bad as string]),
            TypeError,
            "$1 must be",
          );
        }
        assertEquals(await tx.query("select 'fine' as word"), [{ word: "fine" }]);
      });
    });
  });
}

for (const library of ["postgres.js", "postgres.js that Drizzle has changed", "pg"]) {
  it(`takes text of every type into ${library} without casts to text`, async () => {
    await using own = await database();
    const texts = [
      ["bool", "true", "t"],
      ["jsonb", '{"a": "1"}'],
      ["timestamptz", "2024-02-29 12:00:00.123456+00"],
      ["date", "2024-02-29"],
      ["bytea", "\\x00ff"],
      ["int8", "9223372036854775807"],
      ["text[]", "{a,b}"],
    ] as const;
    await libraries[library]!(own.url, async (caller) => {
      const tx = callerOf(caller);
      await tx.query("set local timezone = 'utc'");
      for (const [type, text, out = text] of texts) {
        assertEquals(await tx.query(`select $1::${type} as v`, [text]), [{ v: out }], type);
        assertEquals(await tx.query(`select $1::${type} as v`, [null]), [{ v: null }], type);
      }
    });
  });
}

describe("a caller's transaction", () => {
  it("is refused with a sentence when it runs no statements", async () => {
    await using own = await database();
    const refuse = (tx: unknown, sentence: string) => {
      const error = assertThrows(() => callerOf(tx as AnyTransaction), TypeError, sentence);
      assert(error.message.startsWith("Cannot use the transaction: it "));
    };
    for (const nothing of [null, undefined, "tx", 5, {}, [], () => {}, Symbol("s")]) {
      refuse(nothing, "");
    }
    await client(own.url, (connected) => {
      refuse(drizzlePg(connected), "a Drizzle transaction");
      return Promise.resolve();
    });
    const odd = callerOf({ query: () => Promise.resolve("nothing") } as unknown as AnyTransaction);
    await assertRejects(() => odd.query("select 1"), TypeError, "does not return rows");
  });

  it("may answer an update with rows and their number, as TypeORM does", async () => {
    const answer = Promise.resolve([[{ id: 1 }], 1]);
    const tx = callerOf({ query: () => answer });
    assertEquals(await tx.query("update t set a = 1 returning id"), [{ id: "1" }]);
  });
});
