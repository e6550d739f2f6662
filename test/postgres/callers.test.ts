import { createRequire } from "node:module";
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleJs } from "drizzle-orm/postgres-js";
import { Kysely, PostgresDialect, type PostgresPool } from "kysely";
import postgres from "postgres";
import { type AnyTransaction, callerTx, fromDrizzle } from "../../src/postgres/callers.ts";
import { database } from "../pg.ts";

interface PgClient {
  connect(): Promise<void>;
  query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, string>[] }>;
  escapeLiteral(text: string): string;
  end(): Promise<void>;
  release(): void;
}

interface PgPool {
  connect(): Promise<PgClient>;
  end(): Promise<void>;
}

// It has no types of its own.
const pg: {
  readonly Client: new (url: string) => PgClient;
  readonly Pool: new (options: { connectionString: string; max: number }) => PgPool;
} = createRequire(import.meta.url)("pg");

const kyselyPool = (pool: PgPool) => pool as unknown as PostgresPool;

/** Runs work in a transaction of some library, and rolls it back when the work throws. */
type Begin = (url: string, work: (tx: AnyTransaction) => Promise<void>) => Promise<unknown>;

async function client(url: string, work: (client: PgClient) => Promise<unknown>) {
  const connected = new pg.Client(url);
  await connected.connect();
  try {
    await work(connected);
  } finally {
    await connected.end();
  }
}

async function driver(
  url: string,
  work: (sql: postgres.Sql) => Promise<unknown>,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
) {
  const sql = postgres(url, { max: 2, onnotice: () => {}, ...options }) as unknown as postgres.Sql;
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

async function pgTransaction(connected: PgClient, work: () => Promise<unknown>) {
  await connected.query("begin");
  try {
    await work();
    await connected.query("commit");
  } catch (error) {
    await connected.query("rollback");
    throw error;
  }
}

const libraries: Readonly<Record<string, Begin>> = {
  "postgres.js": (url, work) => driver(url, (sql) => sql.begin((tx) => work(tx))),
  "postgres.js with camel case": (url, work) =>
    driver(url, (sql) => sql.begin((tx) => work(tx)), { transform: postgres.camel }),
  "postgres.js that Drizzle has changed": (url, work) =>
    driver(url, async (sql) => {
      await drizzleJs(sql).execute(drizzleSql`select 1`);
      await sql.begin((tx) => work(tx));
    }),
  "postgres.js without prepared statements": (url, work) =>
    driver(url, (sql) => sql.begin((tx) => work(tx)), { prepare: false }),
  "pg": (url, work) => client(url, (own) => pgTransaction(own, () => work(own))),
  "a client of a pg pool": async (url, work) => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const own = await pool.connect();
    try {
      await pgTransaction(own, () => work(own));
    } finally {
      own.release();
      await pool.end();
    }
  },
  "kysely": async (url, work) => {
    const dialect = new PostgresDialect({
      pool: kyselyPool(new pg.Pool({ connectionString: url, max: 1 })),
    });
    await using db = new Kysely({ dialect });
    await db.transaction().execute((trx) => work(trx));
  },
  "drizzle on pg": (url, work) =>
    client(url, (own) => drizzlePg(own).transaction((tx) => work(fromDrizzle(tx, drizzleSql)))),
  "drizzle on postgres.js": (url, work) =>
    driver(url, (sql) => drizzleJs(sql).transaction((tx) => work(fromDrizzle(tx, drizzleSql)))),
  "one's own": (url, work) =>
    client(url, (own) =>
      pgTransaction(own, () =>
        work({
          query: async (text, params) => (await own.query(text, [...params ?? []])).rows,
        }))),
};

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
        const tx = callerTx(caller);
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
        await callerTx(caller).query(insert, ["2", ...values.slice(1)]);
        throw new RangeError("mine");
      });
      await assertRejects(() => undone, RangeError);
      assertEquals([...await own.sql`select id, note from t`], [{ id: 1, note: null }]);
    });

    it("refuses a parameter that is no text before the library sees it", async () => {
      await using own = await database();
      await begin(own.url, async (caller) => {
        const tx = callerTx(caller);
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
      const tx = callerTx(caller);
      await tx.query("set local timezone = 'utc'");
      for (const [type, text, out = text] of texts) {
        assertEquals(await tx.query(`select $1::${type} as v`, [text]), [{ v: out }], type);
        assertEquals(await tx.query(`select $1::${type} as v`, [null]), [{ v: null }], type);
      }
    });
  });
}

describe("a caller's transaction", () => {
  it("is refused with a sentence when it is none", async () => {
    await using own = await database();
    const refuse = (tx: unknown, sentence: string) => {
      const error = assertThrows(() => callerTx(tx as AnyTransaction), TypeError, sentence);
      assert(error.message.startsWith("Cannot use the transaction: it is "));
    };
    for (const nothing of [null, undefined, "tx", 5, {}, [], () => {}, Symbol("s")]) {
      refuse(nothing, "");
    }
    const pool = new pg.Pool({ connectionString: own.url, max: 1 });
    refuse(pool, "a pool of pg");
    refuse(new Kysely({ dialect: new PostgresDialect({ pool: kyselyPool(pool) }) }), "a Kysely");
    refuse(own.sql, "a client of postgres.js");
    await client(own.url, async (connected) => {
      refuse(drizzlePg(connected), "a transaction of Drizzle");
      const error = await assertRejects(
        () => callerTx(connected).query("select 1"),
        TypeError,
        "not inside begin",
      );
      assert(error.message.startsWith("Cannot use the transaction: it is "));
    });
    const odd = callerTx({ query: () => Promise.resolve("nothing") } as unknown as AnyTransaction);
    await assertRejects(() => odd.query("select 1"), TypeError, "answers with rows");
    await pool.end();
  });
});
