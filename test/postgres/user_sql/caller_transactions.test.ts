import { after, before, describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleJs } from "drizzle-orm/postgres-js";
import { Kysely, PostgresDialect } from "kysely";
import { done, Hephaestus, signal, type, workflow } from "../../../mod.ts";
import {
  type AnyTransaction,
  fromDrizzle,
} from "../../../src/postgres/user_sql/caller_libraries.ts";
import { silent } from "../../everywhere.ts";
import { type Database, database, migrated } from "../../pg.ts";
import {
  client,
  driver,
  kyselyPool,
  libraries,
  type PgPool,
  pgPool,
  pgTransaction,
} from "./caller_libraries.ts";

const ask = signal("ask", { events: { told: type() } });
const flow = workflow("flow", { key: "id", input: type(), start: ask })
  .on(ask, { told: done })
  .build();

interface World extends AsyncDisposable {
  readonly url: string;
  readonly engine: Hephaestus;
  readonly sql: Database["sql"];
}

async function world(): Promise<World> {
  const own = await migrated();
  const engine = new Hephaestus({ url: own.url, workflows: [flow], poolSize: 7, logger: silent });
  await engine.start(flow, "there", undefined);
  return {
    url: own.url,
    sql: own.sql,
    engine,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** Every call that takes a transaction. */
const calls: Readonly<
  Record<string, (engine: Hephaestus, tx: AnyTransaction) => Promise<unknown>>
> = {
  start: (engine, tx) => engine.start(flow, "new", undefined, { tx }),
  replace: (engine, tx) => engine.start(flow, "there", undefined, { tx, onConflict: "replace" }),
  startMany: (engine, tx) => engine.startMany(flow, [{ key: "new", input: undefined }], { tx }),
  resume: (engine, tx) => engine.resume(flow, "there", ask.emit.told(), { tx }),
  scheduleResume: (engine, tx) =>
    engine.scheduleResume(flow, "there", ask.emit.told(), { after: "1h", tx }),
  cancel: (engine, tx) => engine.cancel(flow, "there", { tx }),
};

async function rows({ sql }: Pick<World, "sql">): Promise<unknown> {
  return [
    ...await sql`select key, status, revision from hephaestus.workflow_instances`,
    ...await sql`select kind, step from hephaestus.jobs`,
    ...await sql`select step_ref from hephaestus.step_results`,
  ].map((row) => ({ ...row }));
}

/** Each call is refused with the sentence, and nothing is written. */
async function refuses(world: World, tx: AnyTransaction, sentence: string): Promise<void> {
  const before = await rows(world);
  for (const [name, call] of Object.entries(calls)) {
    const error = await assertRejects(() => call(world.engine, tx), TypeError, sentence, name);
    assert(error.message.startsWith("Cannot use the transaction: "), error.message);
  }
  assertEquals(await rows(world), before);
}

async function pooled(url: string, work: (pool: PgPool) => Promise<unknown>, max = 2) {
  const pool = pgPool(url, max);
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[] }>;
const queryOf = (pool: PgPool): Query => (text, values) =>
  (pool as unknown as { query: Query }).query(text, values);

const none: Readonly<Record<string, (world: World) => Promise<void>>> = {
  "a client of postgres.js": (world) =>
    driver(world.url, (sql) => refuses(world, sql, "not a transaction. Pass the sql of begin")),
  "a connection of postgres.js that was reserved": (world) =>
    driver(world.url, async (sql) => {
      const reserved = await sql.reserve();
      await refuses(world, reserved, "not a transaction. Pass the sql of begin");
      reserved.release();
    }),
  "a client of pg": (world) =>
    client(
      world.url,
      (own) => refuses(world, own, "not a transaction. Pass a client that is inside begin"),
    ),
  "a client of pg after its commit": (world) =>
    client(world.url, async (own) => {
      await pgTransaction(own, () => world.engine.start(flow, "committed", undefined, { tx: own }));
      await refuses(world, own, "not a transaction. Pass a client that is inside begin");
    }),
  "a pool of pg": (world) =>
    pooled(
      world.url,
      (pool) => refuses(world, pool as never, "not a transaction. Pass a client of the pool"),
    ),
  "Kysely": (world) =>
    pooled(world.url, (pool) => {
      const db = new Kysely({ dialect: new PostgresDialect({ pool: kyselyPool(pool) }) });
      return refuses(world, db as never, "not a transaction. Pass the trx");
    }),
  "Drizzle on a pool": (world) =>
    pooled(
      world.url,
      (pool) =>
        refuses(world, fromDrizzle(drizzlePg(pool as never), drizzleSql), "not a transaction"),
    ),
  "Drizzle on postgres.js": (world) =>
    driver(
      world.url,
      (sql) => refuses(world, fromDrizzle(drizzleJs(sql), drizzleSql), "not a transaction"),
    ),
  "whatever has a query, as a DataSource of TypeORM": (world) =>
    pooled(world.url, (pool) => {
      const query = queryOf(pool);
      return refuses(world, {
        query: async (text, values) => (await query(text, values)).rows,
      }, "not a transaction. Pass what the library calls the transaction");
    }),
  "whatever has a query on one connection, as PGlite": (world) =>
    client(
      world.url,
      (own) =>
        refuses(world, { query: (text, values) => own.query(text, values) }, "not a transaction"),
    ),
  "what begins on one connection and goes on on another": (world) =>
    pooled(world.url, async (pool) => {
      const inside = await pool.connect();
      const outside = await pool.connect();
      await inside.query("begin");
      let turn = 0;
      await refuses(world, {
        query: (text, values) => (turn++ % 2 === 0 ? inside : outside).query(text, values),
      }, "not a transaction");
      await inside.query("rollback");
      for (const own of [inside, outside]) own.release();
    }),
  "a transaction in which a statement has failed": (world) =>
    client(world.url, async (own) => {
      await own.query("begin");
      await assertRejects(() => own.query("select nonsense"));
      await refuses(world, own, "a statement in it has failed. Roll it back");
      await own.query("rollback");
    }),
  "a transaction of Drizzle in which a statement has failed": (world) =>
    client(world.url, async (own) => {
      await own.query("begin");
      await assertRejects(() => own.query("select nonsense"));
      const tx = fromDrizzle(drizzlePg(own as never), drizzleSql);
      await refuses(world, tx, "a statement in it has failed. Roll it back");
      await own.query("rollback");
    }),
  "a transaction that is read-only": (world) =>
    driver(world.url, (sql) => sql.begin("read only", (tx) => refuses(world, tx, "read-only"))),
  "a transaction of a database without tables": async (world) => {
    await using other = await database();
    await other.sql.begin((tx) => refuses(world, tx, "no Hephaestus tables in schema"));
  },
  "a transaction of another database with such tables": async (world) => {
    await using other = await migrated();
    await other.sql.begin((tx) => refuses(world, tx, "not the engine's"));
    assertEquals([...await other.sql`select key from hephaestus.workflow_instances`], []);
  },
  "null": (world) => refuses(world, null as never, "null"),
};

describe("what is no transaction", () => {
  let own: World;
  before(async () => {
    own = await world();
  });
  after(() => own[Symbol.asyncDispose]());

  for (const [name, test] of Object.entries(none)) {
    it(`is refused before anything is written: ${name}`, () => test(own));
  }

  it("is refused once the transaction that it was has ended", async () => {
    for (const [library, begin] of Object.entries(libraries)) {
      const use = (tx: AnyTransaction | undefined, key: string) =>
        own.engine.start(flow, `${key} ${library}`, undefined, { tx });
      let ended: AnyTransaction | undefined;
      const isRefused = async () => {
        const before = await rows(own);
        await assertRejects(() => use(ended, "after"), Error, "", library);
        assertEquals(await rows(own), before, library);
      };
      await begin(own.url, async (tx) => {
        await use(tx, "during");
        ended = tx;
      }, isRefused);
      await begin(own.url, async (tx) => {
        await use(tx, "during no commit");
        ended = tx;
        throw new RangeError("rolled back");
      }).catch(() => {});
      await isRefused();
    }
  });
});

describe("an open transaction", () => {
  let own: World;
  before(async () => {
    own = await world();
  });
  after(() => own[Symbol.asyncDispose]());

  for (const [library, begin] of Object.entries(libraries)) {
    it(`of ${library} may start, replace, resume, schedule and cancel`, async () => {
      for (const call of Object.values(calls)) {
        const before = await rows(own);
        const undone = begin(own.url, async (tx) => {
          await call(own.engine, tx);
          throw new RangeError("rolled back");
        });
        await assertRejects(() => undone, RangeError, "rolled back");
        assertEquals(await rows(own), before);
      }
      await begin(own.url, async (tx) => {
        for (const call of Object.values(calls)) await call(own.engine, tx);
      });
      for (const key of ["new", "there"]) {
        const [newest] = (await own.engine.list(flow, { key })).items;
        assertEquals(newest?.status, key === "new" ? "waiting" : "cancelled");
      }
      await own.engine.cancel(flow, "new");
      await own.engine.start(flow, "there", undefined);
    });
  }

  it("goes on behind a savepoint, and after it was rolled back to", async () => {
    const key = (name: string, tx: AnyTransaction) =>
      own.engine.start(flow, name, undefined, { tx });
    await own.sql.begin(async (tx) => {
      await tx.savepoint(async (inner) => {
        await key("undone", inner);
        await key("undone too", tx);
        throw new RangeError("back");
      }).catch(() => {});
      await key("kept", tx);
      await tx.savepoint((inner) => key("kept too", inner));
    });
    const there = async (key: string) => (await own.engine.list(flow, { key })).items.length;
    assertEquals(await Promise.all(["undone", "undone too", "kept", "kept too"].map(there)), [
      0,
      0,
      1,
      1,
    ]);
  });

  it("may be used for several calls at the same time, and begun by an unawaited statement", async () => {
    await client(own.url, async (tx) => {
      const begun = tx.query("begin");
      const keys = ["a", "b", "c", "d"];
      await Promise.all(keys.map((key) => own.engine.start(flow, key, undefined, { tx })));
      await begun;
      await tx.query("commit");
    });
    for (const key of ["a", "b", "c", "d"]) assert(await own.engine.get(flow, key), key);
  });

  it("uses up no transaction id before something is written", async () => {
    await own.sql.begin(async (tx) => {
      await assertRejects(() => own.engine.cancel(flow, "nobody", { tx }));
      const [row] = await tx`select pg_current_xact_id_if_assigned()::text as id`;
      assertEquals(row?.id, null);
    });
  });

  it("is none where `tx` is undefined", async () => {
    const handle = await own.engine.start(flow, "plain", undefined, { tx: undefined });
    assertEquals((await own.engine.get(flow, handle))?.status, "waiting");
  });
});
