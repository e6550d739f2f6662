import { unservedNotices } from "../../backend/unserved.ts";
import { titleOf } from "../../core/value/identity.ts";
import type { Db } from "../driver/contract.ts";
import { sleep } from "../driver/retrying.ts";
import { orphaned } from "../instances/graphs.ts";
import { unserved } from "../jobs/unserved.ts";
import { assertMigrated } from "../migrations/migrate.ts";
import { type Tables, tablesOf } from "../sql/tables.ts";
import { repairs } from "./repairs.ts";
import { type Found, namedStep, type Rule } from "./rule.ts";
import { rules } from "./rules.ts";

/** A violation of one rule, for one row. */
export interface Violation {
  readonly rule: string;
  readonly sentence: string;
  /** The instance in readable form: workflow, key and step. */
  readonly subject: string | undefined;
  readonly found: Found;
  /** Whether {@linkcode repair} can fix it. */
  readonly repairable: boolean;
}

/**
 * The result of an examination: up to `limit` violations per rule, and the total count of each
 * rule.
 */
export interface Examination {
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface ExamineOptions {
  /** Maximum number of violations to return per rule. Default: 20. */
  readonly limit?: number;
  /** Milliseconds after which a suspected violation is checked again. Default: 250. */
  readonly again?: number;
}

interface FoundRow {
  readonly found: string;
  readonly count: string;
  readonly workflow: string | null;
  readonly key: string | null;
}

interface Look {
  readonly violations: readonly Violation[];
  readonly count: number;
}

/**
 * Checks the rules of the engine on a live database. It takes no locks, and reports only violations
 * that it has seen twice.
 */
export async function examine(
  db: Db,
  schema: string,
  { limit = 20, again = 250 }: ExamineOptions = {},
): Promise<Examination> {
  await assertMigrated(db, { schema });
  const t = tablesOf(schema);
  const suspected = new Map<Rule, Look>();
  for (const rule of rules) {
    const seen = await look(db, t, rule, limit);
    if (seen.count > 0) suspected.set(rule, seen);
  }
  if (suspected.size > 0) await sleep(again);
  const violations: Violation[] = [];
  const counts: Record<string, number> = {};
  for (const [rule, first] of suspected) {
    const second = await look(db, t, rule, limit);
    const before = new Set(first.violations.map(key));
    const both = second.violations.filter((violation) => before.has(key(violation)));
    if (both.length === 0) continue;
    violations.push(...both);
    counts[rule.name] = Math.max(both.length, Math.min(first.count, second.count));
  }
  return { violations, counts };
}

/**
 * Work that no living process can do: one sentence per missing queue, code or graph, with the jobs
 * that wait for it.
 */
export async function untaken(db: Db, schema: string): Promise<readonly string[]> {
  const t = tablesOf(schema);
  const graphs = (await orphaned(db, t)).map(({ workflow, version, open }) =>
    `No live process has the graph that ${
      open === 1 ? "1 open instance" : `${open} open instances`
    } of workflow "${workflow}" version ${version} started with`
  );
  return [...unservedNotices(await unserved(db, t)).map(({ sentence }) => sentence), ...graphs];
}

async function look(db: Db, t: Tables, rule: Rule, limit: number): Promise<Look> {
  const rows = await db.transaction(async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    return await tx.query<FoundRow>(
      `with found as (${rule.sql(t)})
       select (select jsonb_object_agg(key, value) from jsonb_each_text(to_jsonb(found)))::text as found,
         (count(*) over ())::text as count, of.workflow, of.key
       from found
       left join ${t.instances} as of on of.id::text = to_jsonb(found) ->> 'instance'
       order by 1
       limit $1::text::int`,
      [String(limit)],
    );
  }, { deadline: 0 });
  const violations = rows.map((row) => violationOf(rule, row));
  return { violations, count: Number(rows[0]?.count ?? 0) };
}

function foundOf(json: string): Found {
  const nothing = { instance: null, job: null, process: null, step: null, activation: null };
  return { ...nothing, note: null, ...JSON.parse(json) };
}

function violationOf(
  { name, sentence }: Rule,
  { found: json, workflow, key }: FoundRow,
): Violation {
  const found = foundOf(json);
  const step = found.step === null ? "" : `, step ${namedStep(found)}`;
  const subject = workflow === null || key === null
    ? undefined
    : `${titleOf(workflow, key, found.instance ?? "")}${step}`;
  return { rule: name, sentence: sentence(found), subject, found, repairable: name in repairs };
}

function key({ found: { instance, job, process, step, activation } }: Violation): string {
  return JSON.stringify([instance, job, process, step, activation]);
}

/**
 * Repairs the violations that are safe to repair, each in its own transaction. Returns those that
 * were repaired.
 *
 * @param queue Queue for the wake-up jobs of instances.
 */
export async function repair(
  db: Db,
  schema: string,
  violations: readonly Violation[],
  queue = "default",
): Promise<ReadonlySet<Violation>> {
  const t = tablesOf(schema);
  const repaired = new Set<Violation>();
  for (const violation of violations) {
    const work = repairs[violation.rule];
    if (work === undefined) continue;
    if (await db.transaction((tx) => work(tx, t, violation.found, queue))) repaired.add(violation);
  }
  return repaired;
}
