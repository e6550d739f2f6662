import process from "node:process";
import {
  type MaintenanceOptions,
  migrate,
  type MigrateResult,
  type MigrationName,
  migrationSql,
  type MigrationSqlOptions,
  type MigrationStatus,
  migrationStatus,
} from "../postgres/mod.ts";
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

/** The parsed options. */
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
  const { action, schema, from, to, dryRun, sql, json } = wish;
  const target = { ...databaseOf(values), schema };
  if (action === "status") return printStatus(wish, await migrationStatus(target));
  const direction = action;
  if (from !== undefined) return printSql({ schema, direction, from, to });
  const migrated = await migrate({ ...target, direction, to, dryRun });
  if (sql) printSqlOf(migrated, schema);
  else if (json) console.log(JSON.stringify({ schema, dryRun, ...migrated }));
  else print(wish, migrated);
}

/** The database to work on, resolved in the same way as by the library. */
export function databaseOf(
  { url = process.env.DATABASE_URL }: Pick<MigrateValues, "url">,
): MaintenanceOptions {
  return { url };
}

function understand([word = "up", ...rest]: readonly string[], values: MigrateValues): Wish {
  const { schema = "hephaestus", sql = false, json = false, "dry-run": dryRun = false } = values;
  const action = actions.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(`Cannot run "migrate ${word}": the actions are up, down and status`);
  }
  const refuse = (reason: string) => new UsageError(`Cannot run "migrate ${word}": ${reason}`);
  if (rest[0] !== undefined) throw refuse(`unexpected argument "${rest[0]}"`);
  const given = [values.to !== undefined, values.from !== undefined, dryRun, sql];
  if (action === "status" && given.includes(true)) {
    throw refuse("it does not take --to, --from, --dry-run or --sql");
  }
  if (sql && (json || dryRun)) throw refuse("--sql cannot be combined with --json or --dry-run");
  if (values.from !== undefined && !sql) throw refuse("--from needs --sql");
  const version = (text: string | undefined) => {
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text)) throw refuse(`"${text}" is not a version number`);
    return Number(text);
  };
  const [to, from] = [version(values.to), version(values.from)];
  return { action, schema, to, from, dryRun: dryRun || sql, sql, json };
}

function printStatus({ schema, json }: Wish, all: readonly MigrationStatus[]): void {
  if (json) return console.log(JSON.stringify({ schema, migrations: all }));
  for (const migration of all) {
    const when = migration.appliedAt?.toISOString() ?? "";
    console.log(`${fileName(migration)}  ${migration.state.padEnd(7)}  ${when}`.trimEnd());
  }
}

/** Prints the SQL that a dry run would execute. */
function printSqlOf({ applied, reverted }: MigrateResult, schema: string): void {
  const [from, to] = [applied[0], applied.at(-1)];
  if (from && to) printSql({ schema, from: from.version - 1, to: to.version });
  const [newest, oldest] = [reverted[0], reverted.at(-1)];
  if (newest && oldest) {
    printSql({ schema, direction: "down", from: newest.version, to: oldest.version - 1 });
  }
}

function printSql(options: MigrationSqlOptions): void {
  const script = migrationSql(options);
  if (script !== "") console.log(script);
}

function print({ schema, dryRun }: Wish, { applied, reverted }: MigrateResult): void {
  const [apply, revert] = dryRun ? ["would apply", "would revert"] : ["applied", "reverted"];
  for (const each of applied) console.log(`${apply} ${fileName(each)}`);
  for (const each of reverted) console.log(`${revert} ${fileName(each)}`);
  if (applied.length + reverted.length === 0) console.log(`nothing to do in schema "${schema}"`);
}

function fileName({ version, name }: MigrationName): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
