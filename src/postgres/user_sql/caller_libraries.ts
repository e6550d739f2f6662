import type { Row, Tx } from "../driver/contract.ts";
import { checkStatement, kind } from "../driver/parameters.ts";
import { hex } from "./step_values.ts";

/**
 * A transaction of the caller behind one method, which takes `$1`-style statements with text
 * parameters and returns rows.
 */
export interface CallerTx {
  /** Runs one statement with `$1`, `$2` and so on in it and returns its rows. */
  query(
    text: string,
    params?: readonly (string | null)[],
  ): PromiseLike<readonly unknown[] | { readonly rows: readonly unknown[] }>;
}

/** The argument that `sql.begin` of postgres.js passes to its callback. */
export interface PostgresJsTx {
  /** Runs a statement given as text. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  unsafe(text: string, params?: any[], options?: any): any;
  /** Binds a value with the oid of its type. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  typed(value: any, type: number): any;
}

/** A client of node-postgres that is inside `begin`. */
export interface PgClient {
  /** Runs one statement and returns its rows. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  query(config: any): Promise<{ readonly rows: any[] }>;
  /** Distinguishes a node-postgres client from other objects. */
  escapeLiteral(text: string): string;
}

/** A transaction of Kysely. */
export interface KyselyTx {
  /** True inside `transaction().execute(...)`. */
  readonly isTransaction: boolean;
  /** Runs a compiled query and returns its rows. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  executeQuery(query: any): Promise<{ readonly rows: any[] }>;
}

/** A transaction of the caller, in which an instance can be started. */
export type AnyTransaction = PostgresJsTx | PgClient | KyselyTx | CallerTx;

/** The parts of Drizzle's `sql` tag that are needed to bind parameters. */
export interface DrizzleSql {
  /** Inserts raw text into a statement. */
  raw(text: string): unknown;
  /** Binds a value. */
  param(value: unknown): unknown;
  /** Joins several parts into one statement. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  join(parts: any[]): any;
}

/** A transaction of Drizzle. */
export interface DrizzleTx {
  /** Runs one statement and returns the result of its driver. */
  // deno-lint-ignore no-explicit-any -- another library defines these types
  execute(query: any): PromiseLike<any>;
}

type Send = (text: string, params: readonly (string | null)[]) => Promise<readonly Row[]>;

/** Runs the statements of a caller. Only the database knows whether they are in a transaction. */
export interface Caller extends Pick<Tx, "query"> {
  /** What to pass instead if this is not a transaction. */
  readonly advice: string;
}

/**
 * Adapts a transaction of postgres.js, pg, Kysely or a custom {@linkcode CallerTx} for the
 * statements of the store.
 *
 * @throws {TypeError} When it is something else.
 */
export function callerOf(tx: AnyTransaction): Caller {
  const { send, advice } = sender(tx as unknown);
  return {
    advice,
    async query<R = Row>(text: string, params: readonly (string | null)[] = []) {
      checkStatement(text, params);
      return await send(text, params) as readonly unknown[] as readonly R[];
    },
  };
}

/**
 * Adapts a Drizzle transaction for use as the option `tx`.
 *
 * @example Start an instance and insert a row in one transaction
 * ```ts ignore
 * import { fromDrizzle } from "@hephaestus/workflow";
 * import { sql } from "drizzle-orm";
 *
 * await db.transaction(async (tx) => {
 *   await tx.insert(orders).values(order);
 *   await hephaestus.start(workflow, order, { tx: fromDrizzle(tx, sql) });
 * });
 * ```
 */
export function fromDrizzle(tx: DrizzleTx, sql: DrizzleSql): CallerTx {
  return {
    query: async (text, params = []) => {
      const parts = text.split(/\$(\d+)/).map((part, i) =>
        i % 2 === 0 ? sql.raw(part) : sql.param(params[Number(part) - 1])
      );
      return rowsOf(await tx.execute(sql.join(parts)));
    },
  };
}

function sender(tx: unknown): { readonly send: Send; readonly advice: string } {
  if ((typeof tx !== "object" && typeof tx !== "function") || tx === null) {
    throw refused(`it is ${kind(tx)}`);
  }
  const has = (...methods: readonly string[]) =>
    methods.every((name) => typeof (tx as Record<string, unknown>)[name] === "function");
  if (has("unsafe", "typed")) {
    return { send: postgresJs(tx as PostgresJsTx), advice: "Pass the sql of begin" };
  }
  if (has("executeQuery")) {
    return { send: kysely(tx as KyselyTx), advice: "Pass the trx of transaction().execute" };
  }
  if (has("execute", "select", "transaction")) {
    throw refused("it is a Drizzle transaction. Pass fromDrizzle(tx, sql)");
  }
  if (has("query", "escapeLiteral")) {
    return { send: pg(tx as PgClient), advice: "Pass a client that is inside begin" };
  }
  if (has("query")) return { send: queries(tx as CallerTx), advice: adviceOf(tx) };
  throw refused("it cannot run statements");
}

function adviceOf(tx: object): string {
  return "totalCount" in tx && "idleCount" in tx
    ? "Pass a client of the pool that is inside begin"
    : "Pass what the library calls the transaction, not the pool or the connection";
}

function refused(why: string): TypeError {
  return new TypeError(`Cannot use the transaction: ${why}`);
}

// With the type "unknown", the server infers the type and the text stays unchanged. Otherwise the
// driver would convert by the inferred type, and differently once Drizzle has used the client.
const unknown = 705;

function postgresJs(tx: PostgresJsTx): Send {
  return async (text, params) => {
    const values = params.map((value) => tx.typed(value, unknown));
    const answer = await tx.unsafe(text, values, { prepare: true, simple: false }).raw();
    const names = (answer.columns ?? []).map(({ name }: { name: string }) => snakeCase(name));
    const decoder = new TextDecoder();
    return Array.from(answer as readonly (Uint8Array | null)[][], (row) =>
      Object.fromEntries(
        row.map((value, i) => [names[i], value === null ? null : decoder.decode(value)]),
      ));
  };
}

/** Reverts the column names that a client with `transform: postgres.camel` returns. */
function snakeCase(name: string): string {
  return name.replaceAll("-", "_").replace(/(?<=[a-z0-9])[A-Z]/g, "_$&").toLowerCase();
}

function pg(client: PgClient): Send {
  return async (text, values) => {
    const types = { getTypeParser: () => (value: string) => value };
    return (await client.query({ text, values: [...values], types })).rows;
  };
}

function kysely(trx: KyselyTx): Send {
  return async (sql, parameters) =>
    rowsOf(
      await trx.executeQuery({
        sql,
        parameters,
        query: { kind: "RawNode", sqlFragments: [sql], parameters: [] },
        queryId: { queryId: "hephaestus" },
      }),
    );
}

function queries(tx: CallerTx): Send {
  return async (text, params) => rowsOf(await tx.query(text, params));
}

/** The rows of a response as text, whatever types the client has converted them to. */
function rowsOf(answer: unknown): readonly Row[] {
  const rows = listed(answer);
  if (!Array.isArray(rows)) throw refused("it does not return rows");
  return rows.map((row: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), asText(value)]))
  );
}

/** `{ rows }`, a plain array, or TypeORM's result of an update: `[rows, count]`. */
function listed(answer: unknown): unknown {
  if (!Array.isArray(answer)) return (answer as { readonly rows?: unknown } | undefined)?.rows;
  return Array.isArray(answer[0]) && typeof answer[1] === "number" ? answer[0] : answer;
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value ? "t" : "f";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return hex(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
