import { createRequire } from "node:module";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleJs } from "drizzle-orm/postgres-js";
import { Kysely, PostgresDialect, type PostgresPool } from "kysely";
import postgres from "postgres";
import {
  type AnyTransaction,
  fromDrizzle,
} from "../../../src/postgres/user_sql/caller_libraries.ts";

export interface PgClient {
  connect(): Promise<void>;
  query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, string>[] }>;
  escapeLiteral(text: string): string;
  end(): Promise<void>;
  release(): void;
}

export interface PgPool {
  connect(): Promise<PgClient>;
  on(event: "error", listener: () => void): void;
  end(): Promise<void>;
}

// It has no types of its own.
export const pg: {
  readonly Client: new (url: string) => PgClient;
  readonly Pool: new (options: { connectionString: string; max: number }) => PgPool;
} = createRequire(import.meta.url)("pg");

/** It has ended before its sockets are closed, and the server may cut them. */
export function pgPool(url: string, max: number): PgPool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return pool;
}

export const kyselyPool = (pool: PgPool) => pool as unknown as PostgresPool;

/**
 * Runs work in a transaction of some library, and rolls it back when the work throws. When it has
 * committed, `afterwards` is called while the connection is still there.
 */
export type Begin = (
  url: string,
  work: (tx: AnyTransaction) => Promise<void>,
  afterwards?: () => Promise<void>,
) => Promise<unknown>;

export async function client(url: string, work: (client: PgClient) => Promise<unknown>) {
  const connected = new pg.Client(url);
  await connected.connect();
  try {
    await work(connected);
  } finally {
    await connected.end();
  }
}

export async function driver(
  url: string,
  work: (sql: postgres.Sql) => Promise<unknown>,
  options: postgres.Options<Record<string, postgres.PostgresType>> = {},
) {
  const sql = postgres(url, { max: 2, onnotice: () => {}, ...options }) as unknown as postgres.Sql;
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export async function pgTransaction(connected: PgClient, work: () => Promise<unknown>) {
  await connected.query("begin");
  try {
    await work();
    await connected.query("commit");
  } catch (error) {
    await connected.query("rollback");
    throw error;
  }
}

export const libraries: Readonly<Record<string, Begin>> = {
  "postgres.js": (url, work, afterwards) =>
    driver(url, (sql) => sql.begin((tx) => work(tx)).then(afterwards)),
  "postgres.js with camel case": (url, work, afterwards) =>
    driver(url, (sql) => sql.begin((tx) => work(tx)).then(afterwards), {
      transform: postgres.camel,
    }),
  "postgres.js that Drizzle has changed": (url, work, afterwards) =>
    driver(url, async (sql) => {
      await drizzleJs(sql).execute(drizzleSql`select 1`);
      await sql.begin((tx) => work(tx)).then(afterwards);
    }),
  "postgres.js without prepared statements": (url, work, afterwards) =>
    driver(url, (sql) => sql.begin((tx) => work(tx)).then(afterwards), { prepare: false }),
  "pg": (url, work, afterwards) =>
    client(url, (own) => pgTransaction(own, () => work(own)).then(afterwards)),
  "a client of a pg pool": async (url, work, afterwards) => {
    const pool = pgPool(url, 1);
    const own = await pool.connect();
    try {
      await pgTransaction(own, () => work(own)).then(afterwards);
    } finally {
      own.release();
      await pool.end();
    }
  },
  "kysely": async (url, work, afterwards) => {
    const dialect = new PostgresDialect({
      pool: kyselyPool(pgPool(url, 1)),
    });
    await using db = new Kysely({ dialect });
    await db.transaction().execute((trx) => work(trx)).then(afterwards);
  },
  "drizzle on pg": (url, work, afterwards) =>
    client(
      url,
      (own) =>
        drizzlePg(own).transaction((tx) => work(fromDrizzle(tx, drizzleSql))).then(afterwards),
    ),
  "drizzle on postgres.js": (url, work, afterwards) =>
    driver(
      url,
      (sql) =>
        drizzleJs(sql).transaction((tx) => work(fromDrizzle(tx, drizzleSql))).then(afterwards),
    ),
  "one's own": (url, work, afterwards) =>
    client(url, (own) =>
      pgTransaction(own, () =>
        work({
          query: async (text, params) => (await own.query(text, [...params ?? []])).rows,
        })).then(afterwards)),
};
