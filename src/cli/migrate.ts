import process from "node:process";
import { connect, type Db } from "../postgres/db.ts";
import { migrate, type Migration, status } from "../postgres/migrate.ts";
import { quoteIdentifier } from "../postgres/identifiers.ts";
import { UsageError } from "./failure.ts";

export interface MigrateValues {
  readonly schema?: string | undefined;
  readonly to?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
  readonly url?: string | undefined;
}

const actions = ["up", "down", "status"] as const;
type Action = typeof actions[number];

/** `hephaestus migrate`: prints one line for each migration. */
export async function runMigrate(words: readonly string[], values: MigrateValues): Promise<void> {
  const { action, to } = understand(words, values);
  const schema = values.schema ?? "hephaestus";
  quoteIdentifier(schema);
  const db = open(values);
  try {
    if (action === "status") return await printStatus(db, schema);
    const dryRun = values["dry-run"] ?? false;
    const { applied, reverted } = await migrate(db, { schema, to, dryRun, direction: action });
    print(applied, dryRun ? "would apply" : "applied");
    print(reverted, dryRun ? "would revert" : "reverted");
    if (applied.length + reverted.length === 0) console.log(`nothing to do in schema "${schema}"`);
  } finally {
    await db.close();
  }
}

/** The database to work on, by one connection: found as the library finds it. */
export function open({ url = process.env.DATABASE_URL }: Pick<MigrateValues, "url">): Db {
  return connect({ url, max: 1, statementTimeout: 0 });
}

function understand(
  [word = "up", ...rest]: readonly string[],
  values: MigrateValues,
): { action: Action; to: number | undefined } {
  const action = actions.find((known) => known === word);
  if (action === undefined) {
    throw new UsageError(`Cannot run "migrate ${word}": there are only up, down and status`);
  }
  if (rest[0] !== undefined) {
    throw new UsageError(`Cannot run "migrate ${word}": unexpected argument "${rest[0]}"`);
  }
  if (action === "status" && (values.to !== undefined || values["dry-run"])) {
    throw new UsageError('Cannot run "migrate status": it takes neither --to nor --dry-run');
  }
  if (values.to !== undefined && !/^\d{1,9}$/.test(values.to)) {
    throw new UsageError(`Cannot run "migrate ${word}": "${values.to}" is not a version number`);
  }
  return { action, to: values.to === undefined ? undefined : Number(values.to) };
}

async function printStatus(db: Db, schema: string): Promise<void> {
  for (const migration of await status(db, { schema })) {
    const when = migration.appliedAt?.toISOString() ?? "";
    console.log(`${fileName(migration)}  ${migration.state.padEnd(7)}  ${when}`.trimEnd());
  }
}

function print(migrations: readonly Migration[], verb: string): void {
  for (const migration of migrations) console.log(`${verb} ${fileName(migration)}`);
}

function fileName({ version, name }: Pick<Migration, "version" | "name">): string {
  return `${String(version).padStart(4, "0")}_${name}`;
}
