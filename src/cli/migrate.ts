import process from "node:process";
import { connect } from "../postgres/driver/connect.ts";
import type { Db } from "../postgres/driver/contract.ts";
import { quoteIdentifier } from "../postgres/sql/identifiers.ts";
import { migrate, type Migrated, planned, status } from "../postgres/migrations/migrate.ts";
import type { Migration } from "../postgres/migrations/migration.ts";
import { scriptOf } from "../postgres/migrations/migration_sql.ts";
import { migrations } from "../postgres/migrations/migrations.gen.ts";
import { UsageError } from "./failure.ts";

export interface MigrateValues {
  readonly schema?: string | undefined;
  readonly to?: string | undefined;
  readonly from?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
  readonly sql?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly url?: string | undefined;
}

const actions = ["up", "down", "status"] as const;

/** What was asked for. */
interface Wish {
  readonly action: typeof actions[number];
  readonly schema: string;
  readonly to: number | undefined;
  readonly from: number | undefined;
  readonly dryRun: boolean;
  readonly sql: boolean;
  readonly json: boolean;
}

/** `hephaestus migrate`: prints one line for each migration, or its SQL. */
export async function runMigrate(words: readonly string[], values: MigrateValues): Promise<void> {
  const wish = understand(words, values);
  quoteIdentifier(wish.schema);
  if (wish.from !== undefined) return print(wish, fromVersion(wish, wish.from));
  const db = open(values);
  try {
    if (wish.action === "status") await printStatus(db, wish);
    else print(wish, await migrate(db, { ...wish, direction: wish.action }));
  } finally {
    await db.close();
  }
}

/** The database to work on, by one connection: found as the library finds it. */
export function open({ url = process.env.DATABASE_URL }: Pick<MigrateValues, "url">): Db {
  return connect({ url, max: 1, statementTimeout: 0 });
}

function understand([word = "up", ...rest]: readonly string[], values: MigrateValues): Wish {
  const { schema = "hephaestus", sql = false, json = false, "dry-run": dryRun = false } = values;
  const action = actions.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(`Cannot run "migrate ${word}": there are only up, down and status`);
  }
  const refuse = (reason: string) => new UsageError(`Cannot run "migrate ${word}": ${reason}`);
  if (rest[0] !== undefined) throw refuse(`unexpected argument "${rest[0]}"`);
  const given = [values.to !== undefined, values.from !== undefined, dryRun, sql];
  if (action === "status" && given.includes(true)) {
    throw refuse("it takes neither --to, --from, --dry-run nor --sql");
  }
  if (sql && (json || dryRun)) throw refuse("--sql prints SQL only, without --json and --dry-run");
  if (values.from !== undefined && !sql) throw refuse("--from is for --sql only");
  const version = (text: string | undefined) => {
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text)) throw refuse(`"${text}" is not a version number`);
    return Number(text);
  };
  const [to, from] = [version(values.to), version(values.from)];
  return { action, schema, to, from, dryRun: dryRun || sql, sql, json };
}

/** What is between two versions, without a look at a database. */
function fromVersion({ action, to: wanted, schema }: Wish, from: number): Migrated {
  const direction = action === "down" ? "down" : "up";
  const to = wanted ?? (direction === "up" ? migrations.length : Math.max(from - 1, 0));
  for (const version of [from, to]) {
    if (version <= migrations.length) continue;
    throw new RangeError(
      `Cannot migrate schema "${schema}" to version ${version}: versions are 0 to ${migrations.length}`,
    );
  }
  return planned(from, direction, to);
}

async function printStatus(db: Db, { schema, json }: Wish): Promise<void> {
  const all = await status(db, { schema });
  if (json) return console.log(JSON.stringify({ schema, migrations: all }));
  for (const migration of all) {
    const when = migration.appliedAt?.toISOString() ?? "";
    console.log(`${fileName(migration)}  ${migration.state.padEnd(7)}  ${when}`.trimEnd());
  }
}

function print({ action, schema, sql, json, dryRun }: Wish, migrated: Migrated): void {
  const { applied, reverted } = migrated;
  const all = [...applied, ...reverted];
  if (sql) {
    if (all.length > 0) console.log(scriptOf(schema, action === "down" ? "down" : "up", all));
  } else if (json) {
    const named = (some: readonly Migration[]) =>
      some.map(({ version, name }) => ({ version, name }));
    const told = { schema, dryRun, applied: named(applied), reverted: named(reverted) };
    console.log(JSON.stringify(told));
  } else {
    const [apply, revert] = dryRun ? ["would apply", "would revert"] : ["applied", "reverted"];
    for (const each of applied) console.log(`${apply} ${fileName(each)}`);
    for (const each of reverted) console.log(`${revert} ${fileName(each)}`);
    if (all.length === 0) console.log(`nothing to do in schema "${schema}"`);
  }
}

function fileName({ version, name }: Pick<Migration, "version" | "name">): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
