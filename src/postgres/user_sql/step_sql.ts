import type { Sql } from "../../core/define/context.ts";
import { decode } from "../../core/value/json.ts";
import type { Row, Tx } from "../driver/contract.ts";
import { Bound } from "../driver/parameters.ts";
import { columnTypes } from "../driver/rows.ts";
import { parameter } from "./step_values.ts";

/**
 * The handle of a step on the transaction that records its result. Values are bound as text,
 * according to the type of the parameter: numbers, booleans, dates, plain objects as JSON, arrays
 * as arrays or as JSON, and bytes as bytea. Rows contain numbers, booleans, parsed JSON, dates and
 * bytes; int8, numeric, arrays and all other types stay text.
 */
export function stepSql(tx: Pick<Tx, "query">): Sql {
  const query = <R>(text: string, values: readonly unknown[] = []): Promise<readonly R[]> => {
    const rows = run<R>(tx, text, values);
    // The step may not await this statement. Its failure also fails the transaction.
    rows.catch(() => {});
    return rows;
  };
  const tagged = <R>(strings: TemplateStringsArray, ...values: readonly unknown[]) =>
    query<R>(strings.reduce((text, part, i) => `${text}$${i}${part}`), values);
  return Object.assign(tagged, { query }) as Sql;
}

async function run<R>(
  tx: Pick<Tx, "query">,
  text: string,
  values: readonly unknown[],
): Promise<readonly R[]> {
  refuseControl(text);
  const bound = values.map((value, i) => parameter(value, i + 1));
  const rows = await tx.query(text, bound).catch((error) => {
    throw bound.find((one): one is Bound => one instanceof Bound && one.refusal !== undefined)
      ?.refusal ?? error;
  });
  const types = columnTypes(rows);
  return rows.map((row) => typed(row, types) as R);
}

function typed(row: Row, types: ReadonlyMap<string, number>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, text]) => {
      const parse = parsers.get(types.get(column) ?? 0);
      return [column, text === null || !parse ? text : parse(text)];
    }),
  );
}

const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [16, (text) => text === "t"],
  ...[21, 23, 700, 701].map((oid) => [oid, Number] as const),
  ...[114, 3802].map((oid) => [oid, decode] as const),
  [1184, date],
  [17, bytes],
]);

/** Bytes in another output format of the session stay text. */
function bytes(text: string): unknown {
  if (!text.startsWith("\\x")) return text;
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Values that a Date cannot hold, such as "infinity", stay text. */
function date(text: string): unknown {
  const value = new Date(text);
  return Number.isNaN(value.getTime()) ? text : value;
}

const blank = /^(?:[\s;]+|--[^\n\r]*)/;
const control =
  /^(?:begin|start|commit|end|abort|prepare|deallocate|discard|reset|listen|unlisten|copy|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b)|set(?!\s+(?:local(?!\s+transaction)|constraints)\b))\b/i;

/**
 * Rejects statements that would end the transaction, outlive it in the session, or wait for more
 * input.
 */
function refuseControl(text: string): void {
  const statement = afterComments(text);
  const found = control.exec(statement);
  if (found) {
    throw new TypeError(
      `Cannot run "${found[0].toLowerCase()}" in a step: its transaction records the result`,
    );
  }
}

function afterComments(text: string): string {
  let rest = text;
  for (;;) {
    const skipped = rest.startsWith("/*") ? commentLength(rest) : blank.exec(rest)?.[0].length;
    if (!skipped) return rest;
    rest = rest.slice(skipped);
  }
}

/** Comments nest. */
function commentLength(text: string): number {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === "/*" ? 1 : -1;
    if (depth === 0) return index + 2;
  }
  return text.length;
}
