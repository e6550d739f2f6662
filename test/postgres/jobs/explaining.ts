import { connect } from "../../../src/postgres/driver/connect.ts";
import type { Db, Row, Tx } from "../../../src/postgres/driver/contract.ts";
import { engineSettings } from "../../../src/postgres/driver/settings.ts";

/** One node of a plan, with those below it. */
interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Shared Hit Blocks"?: number;
  readonly "Shared Read Blocks"?: number;
  readonly Plans?: readonly Node[];
}

/** A connection as the engine's own are, which tells how each statement would be, or was, executed. */
export interface Explaining extends AsyncDisposable {
  /** Explains what runs on it and runs nothing. */
  readonly explain: Tx;
  /** Runs what it is given, and answers with no rows. */
  readonly analyze: Tx;
  /** The indexes by which tables were read since the last call, and `"jobs, whole"` where none was. */
  reads(): readonly string[];
  /** The buffers that the last statement has touched. */
  readonly buffers: number;
}

export function explaining(url: string): Explaining {
  const db = connect({ url, max: 1, settings: engineSettings });
  let last: Node | undefined;
  let reads: string[] = [];
  const on = (how: string): Tx => ({
    async query<R = Row>(text: string, params?: readonly (string | null)[]): Promise<readonly R[]> {
      last = await planOf(db, how, text, params);
      reads.push(...readsOf(last));
      return [];
    },
    script: () => Promise.reject(new Error("A script has no plan")),
  });
  return {
    explain: on("explain (format json)"),
    analyze: on("explain (analyze, buffers, format json)"),
    reads() {
      const before = [...new Set(reads)].sort();
      reads = [];
      return before;
    },
    get buffers() {
      return (last?.["Shared Hit Blocks"] ?? 0) + (last?.["Shared Read Blocks"] ?? 0);
    },
    [Symbol.asyncDispose]: () => db.close(),
  };
}

async function planOf(
  db: Db,
  how: string,
  text: string,
  params: readonly (string | null)[] = [],
): Promise<Node> {
  // Prepared, as the driver does it: only then the plan is the one for all parameters.
  await db.query(`prepare hot as ${text}`);
  const values = params.map((value) =>
    value === null ? "null" : `'${value.replaceAll("'", "''")}'`
  );
  const execute = `execute hot${values.length > 0 ? `(${values})` : ""}`;
  const [row] = await db.query<{ "QUERY PLAN": string }>(`${how} ${execute}`);
  await db.query("deallocate hot");
  const [{ Plan }]: [{ Plan: Node }] = JSON.parse(row?.["QUERY PLAN"] ?? "");
  return Plan;
}

function readsOf(node: Node): readonly string[] {
  const table = node["Relation Name"];
  const index = node["Index Name"];
  const own = index !== undefined
    ? [index]
    : node["Node Type"] === "Seq Scan" && table !== undefined
    ? [`${table}, whole`]
    : [];
  return [...own, ...(node.Plans ?? []).flatMap(readsOf)];
}
