import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "../../../src/core/define/context.ts";
import { DatabaseError } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { stepSql } from "../../../src/postgres/user_sql/step_sql.ts";
import { database } from "../../pg.ts";

async function inStep<T>(work: (sql: Sql) => Promise<T>, prepare = true): Promise<T> {
  await using own = await database();
  const db = connect({ url: own.url, max: 1, prepare });
  try {
    return await db.transaction((tx) => work(stepSql(tx)));
  } finally {
    await db.close();
  }
}

describe("the sql of a step", () => {
  for (const prepare of [true, false]) {
    it(`gives rows their types, ${prepare ? "prepared" : "not prepared"}`, () =>
      inStep(async (sql) => {
        const rows = await sql`select 1::int2 as small, 2::int4 as int, 3::int8 as big,
          1.50::numeric as exact, 0.5::float8 as float, 'NaN'::float4 as nan, true as yes,
          '{"a": [1, null]}'::jsonb as body, '"text"'::json as word, null::int as none,
          '2024-02-29 12:00:00.5+02'::timestamptz as at, 'infinity'::timestamptz as never,
          '2024-02-29'::date as day, array[1, 2] as list, 'x' as text`;
        assertEquals(rows, [{
          small: 1,
          int: 2,
          big: "3",
          exact: "1.50",
          float: 0.5,
          nan: NaN,
          yes: true,
          body: { a: [1, null] },
          word: "text",
          none: null,
          at: new Date("2024-02-29T10:00:00.500Z"),
          never: "infinity",
          day: "2024-02-29",
          list: "{1,2}",
          text: "x",
        }]);
        assertEquals(await sql`select 1 where false`, []);
      }, prepare));
  }

  it("binds values, in a template and by number", () =>
    inStep(async (sql) => {
      const at = new Date("2024-02-29T12:00:00.123Z");
      const rows = await sql`select ${1}::int as n, ${2n}::int8 as big, ${true}::bool as yes,
        ${"it's"} as text, ${null}::text as none, ${at}::timestamptz as at,
        ${{ a: [1] }}::jsonb as body, ${[1, "a"]}::jsonb as list, ${-0.5}::float8 as float`;
      assertEquals(rows, [{
        n: 1,
        big: "2",
        yes: true,
        text: "it's",
        none: null,
        at,
        body: { a: [1] },
        list: [1, "a"],
        float: -0.5,
      }]);
      assertEquals(
        await sql.query("select $2::int + $1::int as sum, $1 as one", [1, 2]),
        [{ sum: 3, one: 1 }],
      );
      assertEquals(await sql.query("select 1 as one"), [{ one: 1 }]);
    }));

  it("binds an array as its place wants it: as one of PostgreSQL, or as JSON", () =>
    inStep(async (sql) => {
      const at = new Date("2024-02-29T12:00:00.123Z");
      const strings = ["a", 'say "hi"', "back\\slash", "{1,2}", "", "NULL", "ü, x", "it's", " "];
      await sql`create table places (tags text[], ids int[], body jsonb, bodies jsonb[])`;
      await sql`insert into places values (${strings}, ${[1, null]}, ${[1, "a"]}, ${[[1], {
        a: 2,
      }]})`;
      const [row] = await sql`select to_jsonb(tags) as tags, to_jsonb(ids) as ids, body,
          to_jsonb(bodies) as bodies, 2 = any (${[1, 2]}) as found, 3 = any (${[]}) as missed,
          ${[[1, 2], [3, 4]]}::int[] as nested, ${[
        at,
      ]}::timestamptz[] = array[${at}::timestamptz] as dates,
          ${[2n ** 62n, true]}::text[] as mixed, ${[new Uint8Array([0, 255])]}::bytea[] as bytes,
          ${["\u{1f4a5}"]}::text[] as astral, ${[1]}::json as json, ${[1]} as text
        from places`;
      assertEquals(row, {
        tags: strings,
        ids: [1, null],
        body: [1, "a"],
        bodies: [[1], { a: 2 }],
        found: true,
        missed: false,
        nested: "{{1,2},{3,4}}",
        dates: true,
        mixed: "{4611686018427387904,true}",
        bytes: '{"\\\\x00ff"}',
        astral: "{\u{1f4a5}}",
        json: [1],
        text: "[1]",
      });
    }));

  for (const prepare of [true, false]) {
    it(`binds bytes as bytea and reads them, ${prepare ? "prepared" : "not prepared"}`, () =>
      inStep(async (sql) => {
        const bytes = Uint8Array.of(0, 1, 92, 255);
        const [row] = await sql`select ${bytes}::bytea as some, ${bytes.buffer}::bytea as buffer,
          ${new Uint8Array()}::bytea as none, length(${bytes.subarray(1, 3)}::bytea) as part`;
        assertEquals(row, { some: bytes, buffer: bytes, none: new Uint8Array(), part: 2 });
      }, prepare));
  }

  it("refuses in arrays and as bytes what has no place, and the transaction goes on", () =>
    inStep(async (sql) => {
      const bad: readonly (readonly [unknown, string, string])[] = [
        [[1, undefined], "int[]", "element 1 of parameter $1: undefined cannot be stored"],
        [[NaN], "float8[]", "element 0 of parameter $1: NaN cannot be stored"],
        [[[{}]], "text[]", "element 0 of element 0 of parameter $1: an object cannot be stored"],
        [Array(1), "int[]", "element 0 of parameter $1: undefined cannot be stored"],
        [new Uint8Array(1), "text", "bytes need a parameter of type bytea"],
        [new Float64Array(1), "float8[]", "a Float64Array cannot be stored"],
        [new DataView(new ArrayBuffer(1)), "bytea", "a DataView cannot be stored"],
      ];
      for (const [value, type, sentence] of bad) {
        await assertRejects(() => sql.query(`select $1::${type}`, [value]), TypeError, sentence);
      }
      assertEquals(await sql`select 1 as one`, [{ one: 1 }]);
    }));

  it("refuses values that the database has no text for, and the transaction goes on", () =>
    inStep(async (sql) => {
      const bad = [
        [undefined, "undefined"],
        [NaN, "NaN"],
        [Infinity, "Infinity"],
        [new Date(NaN), "an invalid Date"],
        [Symbol("s"), "a symbol"],
        [() => {}, "a function"],
      ] as const;
      for (const [value, what] of bad) {
        await assertRejects(
          () => sql`select 1, ${value}`,
          TypeError,
          `Cannot bind parameter $1: ${what} cannot be stored`,
        );
      }
      for (const value of [new Map(), { at: new Date() }, { n: 1n }, [undefined]]) {
        await assertRejects(() => sql`select 1, ${value}`, Error, "parameter $1");
      }
      assertEquals(await sql`select 1 as one`, [{ one: 1 }]);
    }));

  const control = [
    "commit",
    "COMMIT;",
    " \n\tcommit and chain",
    "-- a comment\ncommit",
    "--\rcommit",
    "/* a /* nested */ comment */ commit",
    "/**/--x\n/*--*/ ;; commit",
    "; commit",
    "begin",
    "start transaction",
    "end",
    "abort",
    "rollback",
    "rollback and chain",
    "rollback work",
    "rollback prepared 'to'",
    "prepare transaction 'x'",
    "commit prepared 'x'",
    "set statement_timeout = 0",
    "set session statement_timeout = 0",
    "set session characteristics as transaction isolation level serializable",
    "set transaction isolation level serializable",
    "set role nobody",
    "reset all",
    "discard all",
    "deallocate all",
    "listen x",
    "unlisten *",
    "copy t from stdin",
    "copy t to stdout",
  ];

  it("cannot end its transaction, change its session, or copy", () =>
    inStep(async (sql) => {
      const before = await sql`select pg_current_xact_id()::text as id`;
      for (const text of control) {
        await assertRejects(() => sql.query(text), TypeError, "in a step: its transaction records");
      }
      // What the server refuses itself, past a word that is allowed.
      for (const text of ["do $$ begin commit; end $$", "select 1; commit", "call pg_temp.p()"]) {
        await sql`savepoint here`;
        if (text.startsWith("call")) {
          await sql`create procedure pg_temp.p() language plpgsql as 'begin commit; end'`;
        }
        await assertRejects(() => sql.query(text), DatabaseError);
        await sql`rollback to here`;
      }
      assertEquals(await sql`select pg_current_xact_id()::text as id`, before);
    }));

  it("may set what ends with the transaction, and use savepoints", () =>
    inStep(async (sql) => {
      await sql`set local lock_timeout = '1s'`;
      await sql`set constraints all deferred`;
      await sql`savepoint one`;
      await assertRejects(() => sql`select 1/0`, DatabaseError);
      await sql`/* back */ rollback work to savepoint one`;
      await sql`release one`;
      await sql`create table settings (commit int)`;
      assertEquals(await sql`select commit from settings`, []);
    }));

  it("rejects without ending the process when nobody awaits it", async () => {
    await assertRejects(() =>
      inStep(async (sql) => {
        void sql`select 1/0`;
        void sql`select ${undefined}`;
        void sql`commit`;
        await Promise.resolve();
      }), DatabaseError);
  });
});
