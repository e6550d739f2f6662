import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseError } from "../../../src/postgres/driver/errors.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { Db } from "../../../src/postgres/driver/contract.ts";
import { database } from "../../pg.ts";

const texts: readonly (readonly [type: string, text: string, out?: string])[] = [
  ["bool", "true", "t"],
  ["bool", "f"],
  ["jsonb", '{"a": "1"}'],
  ["jsonb", '"text"'],
  ["json", '{"a":1}'],
  ["timestamptz", "2024-02-29 12:00:00.123456+00"],
  ["timestamptz", "infinity"],
  ["timestamp", "2024-02-29 12:00:00.123456"],
  ["date", "2024-02-29"],
  ["bytea", "\\x00ff"],
  ["int2", "-1"],
  ["int8", "9223372036854775807"],
  ["numeric", "1.10000000000000000001"],
  ["float8", "1e+300"],
  ["oid", "7"],
  ["uuid", "00000000-0000-4000-8000-000000000001"],
  ["text", 'a "b" \\ $1 ?'],
  ["text[]", '{a,"b c",NULL}'],
  ["uuid[]", "{00000000-0000-4000-8000-000000000001}"],
  ["jsonb[]", '{"{\\"a\\": 1}"}'],
];

async function withDb(
  options: Parameters<typeof connect>[0],
  work: (db: Db, url: string) => Promise<void>,
): Promise<void> {
  await using own = await database();
  const db = connect({ url: own.url, max: 2, settings: { timezone: "UTC" }, ...options });
  try {
    await work(db, own.url);
  } finally {
    await db.close();
  }
}

for (const prepare of [true, false]) {
  describe(`the database, ${prepare ? "prepared statements" : "as behind PgBouncer"}`, () => {
    it("takes text and gives text for every type", () =>
      withDb({ prepare }, async (db) => {
        for (const [type, text, out = text] of texts) {
          // Twice: the second time the statement is prepared and its types are known.
          for (let time = 0; time < 2; time++) {
            const cast = await db.query(`select $1::${type} as value`, [text]);
            assertEquals(cast, [{ value: out }], type);
          }
          const name = type.replace("[]", "_array");
          await db.script(
            `create table if not exists t_${name} (value ${type}); truncate t_${name}`,
          );
          const rows = await db.query(
            `insert into t_${name} values ($1), (null) returning value`,
            [text],
          );
          assertEquals(rows, [{ value: out }, { value: null }], type);
        }
      }));

    for (const isolation of ["repeatable read", "serializable"]) {
      it(`reads committed rows though the default is ${isolation}`, () =>
        withDb({ prepare }, async (db, url) => {
          const name = new URL(url).pathname.slice(1);
          await db.query(
            `alter database ${name} set default_transaction_isolation = '${isolation}'`,
          );
          const fresh = connect({ url, prepare, max: 1 });
          const show = "select current_setting('transaction_isolation') as level";
          const readCommitted = [{ level: "read committed" }];
          try {
            assertEquals(await fresh.query(show), readCommitted);
            assertEquals(await fresh.transaction((tx) => tx.query(show)), readCommitted);
            await fresh.script(`create table seen as ${show}`);
            assertEquals(await fresh.query("select * from seen"), readCommitted);
          } finally {
            await fresh.close();
          }
        }));
    }

    it("runs with the settings it was given", () =>
      withDb(
        { prepare, settings: { lock_timeout: "77ms" }, statementTimeout: 1234 },
        async (db) => {
          const show = `select current_setting('lock_timeout') as lock,
          current_setting('statement_timeout') as statement`;
          const expected = [{ lock: "77ms", statement: "1234ms" }];
          assertEquals(await db.query(show), expected);
          assertEquals(await db.transaction((tx) => tx.query(show)), expected);
        },
      ));

    it("refuses a parameter that is no text, and harms no neighbour", () =>
      withDb({ prepare }, async (db) => {
        const circular: Record<string, unknown> = {};
        circular.self = circular;
        const bad: readonly unknown[] = [
          1,
          true,
          undefined,
          1n,
          Symbol("s"),
          circular,
          new Date(),
          [],
          () => {},
        ];
        for (const value of bad) {
          const neighbours = Array.from(
            { length: 100 },
            (_, i) => db.query("select $1::int as i, pg_sleep(0.0001)::text", [String(i)]),
          );
          const refused = [
            db.query("select $1", [value as string]),
            db.transaction((tx) => tx.query("select $1", [value as string])),
          ];
          for (const one of refused) {
            await assertRejects(() => one, TypeError, "parameter $1 must be a string or null");
          }
          const rows = await Promise.all(neighbours);
          assertEquals(rows.map(([row]) => row?.i), rows.map((_, i) => String(i)));
        }
        for (const statement of [undefined, null, 1, ["select 1"], "select 1\u0000"]) {
          await assertRejects(() => db.query(statement as string), TypeError, "its text");
          await assertRejects(() => db.script(statement as string), TypeError, "its text");
        }
        await assertRejects(
          () => db.query("select $1", Array(65_534).fill("1")),
          TypeError,
          "65534 parameters",
        );
        await assertRejects(() => db.query("select $1", "text" as unknown as []), TypeError);
      }));

    it("carries a constraint's name but no parameter in an error", () =>
      withDb({ prepare }, async (db) => {
        await db.script("create table t (id text constraint only_once primary key)");
        await db.query("insert into t values ($1)", ["a"]);
        const error = await assertRejects(
          () => db.query("insert into t values ($1)", ["a"]),
          DatabaseError,
        );
        assertEquals([error.code, error.constraint], ["23505", "only_once"]);
        assert(!("parameters" in error) && !("args" in error) && !("query" in error));
      }));

    it("gives up on a statement at the server's timeout and stays usable", () =>
      withDb({ prepare, max: 1, statementTimeout: 500 }, async (db) => {
        const error = await assertRejects(() => db.query("select pg_sleep(60)"), DatabaseError);
        assertEquals(error.code, "57014");
        assertEquals(await db.query("select 1 as one"), [{ one: "1" }]);
      }));

    it("runs several statements in a script, all or none", () =>
      withDb({ prepare, max: 1 }, async (db) => {
        await db.script(
          "create table t (id int); insert into t values (1); insert into t values (2)",
        );
        await assertRejects(() => db.script("insert into t values (3); select 1/0"), DatabaseError);
        await assertRejects(() => db.script("begin; insert into t values (4); select 1/0"));
        assertEquals(await db.query("select id from t order by id"), [{ id: "1" }, { id: "2" }]);
      }));
  });
}

describe("the database", () => {
  it("runs one statement in a query and no more", () =>
    withDb({}, async (db) => {
      for (const params of [[], ["1"]]) {
        await assertRejects(() => db.query("select 1; select 2", params), DatabaseError);
      }
    }));

  it("keeps a bounded number of prepared statements", () =>
    withDb({ max: 1 }, async (db) => {
      for (let i = 0; i < 600; i++) await db.query(`select ${i} as i`);
      const [row] = await db.query("select count(*) as n from pg_prepared_statements");
      assertEquals(row?.n, "500");
    }));

  it("says what is wrong with options and never shows the URL", () => {
    for (const url of ["postgres://u:secret@host:x/db", "nonsense secret", "postgres://u:%zz@h/"]) {
      const error = assertThrows(() => connect({ url }), TypeError, "Cannot connect to the");
      assert(!`${error.message} ${error.stack} ${error.cause}`.includes("secret"));
    }
    for (const max of [0, -1, 1.5, NaN]) {
      assertThrows(() => connect({ max }), RangeError, "max must be 1 or more");
    }
    assertThrows(
      () => connect({ settings: { "a = 1; drop": "x" } }),
      TypeError,
      "is not a setting",
    );
  });
});
