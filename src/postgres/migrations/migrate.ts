import { HephaestusError, SchemaVersionError } from "../../core/errors/errors.ts";
import type { Db, Tx } from "../driver/contract.ts";
import { isRetryable, sqlState } from "../driver/errors.ts";
import { pauseAfter, sleep } from "../driver/retrying.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";
import type { Migration, MigrationStatus } from "./migration.ts";
import { applying, lockOf, reverting } from "./migration_sql.ts";
import { advice, type AppliedMigration, assertKnown, versionOf } from "./migration_state.ts";
import { migrations as shipped } from "./migrations.gen.ts";
import { assertServer } from "./server_version.ts";

export interface SchemaOptions {
  readonly schema: string;
  /** Default: the migrations of this package. */
  readonly migrations?: readonly Migration[];
}

export interface MigrationGoal extends SchemaOptions {
  readonly direction?: "up" | "down" | undefined;
  /**
   * The version to stop at. Default: the newest version on the way up, one below the current one on
   * the way down.
   */
  readonly to?: number | undefined;
  /** Change nothing and return what would be done. */
  readonly dryRun?: boolean | undefined;
}

export interface Migrated {
  readonly applied: readonly Migration[];
  readonly reverted: readonly Migration[];
}

const mostTries = 20;

/**
 * Migrates a schema to a version, one transaction per migration. It is safe to run from many
 * processes at once.
 */
export async function migrate(db: Db, options: MigrationGoal): Promise<Migrated> {
  const { schema, migrations = shipped, direction = "up", dryRun = false } = options;
  quoteIdentifier(schema);
  await assertServer(db);
  const { to = await defaultTarget(db, schema, migrations, direction) } = options;
  if (!Number.isInteger(to) || to < 0 || to > migrations.length) {
    throw new RangeError(
      `Cannot migrate schema "${schema}" to version ${to}: versions are 0 to ${migrations.length}`,
    );
  }
  if (dryRun) {
    return planned(versionOf(await checked(db, schema, migrations)), direction, to, migrations);
  }
  const done: Migration[] = [];
  const step = direction === "up" ? applyNext : revertLast;
  for (;;) {
    // No time limit: an index on a large table may take long.
    const one = () => db.transaction((tx) => step(tx, schema, migrations, to), { deadline: 0 });
    const migration = await whereDeadlocked(schema, one);
    if (migration === undefined) break;
    done.push(migration);
  }
  return direction === "up" ? { applied: done, reverted: [] } : { applied: [], reverted: done };
}

/**
 * Workers lock the same tables in another order. A migration that a deadlock has rolled back is run
 * again.
 */
async function whereDeadlocked<T>(schema: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      if (sqlState(error) === "42501") throw denied(schema, error as Error);
      if (!isRetryable(error) || tries === mostTries) throw error;
      await sleep(pauseAfter(tries, { first: 50, most: 2_000 }));
    }
  }
}

function denied(schema: string, error: Error): HephaestusError {
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot migrate schema "${schema}": ${error.message} (42501). ` +
      "Its role must own the schema and the tables, or have create on the database if the schema does not exist yet",
    { cause: error },
  );
}

/** Every migration of this package, and those that only the database has. */
export async function status(
  db: Db,
  { schema, migrations = shipped }: SchemaOptions,
): Promise<readonly MigrationStatus[]> {
  const applied = new Map((await read(db, schema)).map((row) => [row.version, row]));
  const own = migrations.map(({ version, name, sha256 }): MigrationStatus => {
    const row = applied.get(version);
    const state = row === undefined ? "pending" : row.sha256 === sha256 ? "applied" : "changed";
    return { version, name, state, appliedAt: row?.appliedAt };
  });
  const unknown = [...applied.values()].filter(({ version }) => version > migrations.length)
    .map(({ version, name, appliedAt }): MigrationStatus => ({
      version,
      name,
      state: "unknown",
      appliedAt,
    }));
  return [...own, ...unknown];
}

/**
 * Throws {@linkcode SchemaVersionError} unless the schema is exactly at the version of this
 * package.
 */
export async function assertMigrated(
  db: Db,
  { schema, migrations = shipped }: SchemaOptions,
): Promise<void> {
  await assertServer(db);
  const version = versionOf(await checked(db, schema, migrations));
  if (version < migrations.length) {
    const state = version === 0
      ? "it has no tables yet"
      : `it is at version ${version}, but this package needs ${migrations.length}`;
    throw new SchemaVersionError(`Cannot use schema "${schema}": ${state}. ${advice(schema)}`, {
      migratable: true,
    });
  }
}

async function applyNext(
  tx: Tx,
  schema: string,
  migrations: readonly Migration[],
  to: number,
): Promise<Migration | undefined> {
  await tx.query(lockOf(schema));
  const applied = await checked(tx, schema, migrations);
  const next = migrations[versionOf(applied)];
  if (next === undefined || next.version > to) return undefined;

  for (const statement of applying(schema, next)) await tx.script(statement);
  return next;
}

async function revertLast(
  tx: Tx,
  schema: string,
  migrations: readonly Migration[],
  to: number,
): Promise<Migration | undefined> {
  await tx.query(lockOf(schema));
  const version = versionOf(await checked(tx, schema, migrations));
  const last = migrations[version - 1];
  if (last === undefined || last.version <= to) return undefined;

  for (const statement of reverting(schema, last)) await tx.script(statement);
  return last;
}

/** The migrations between two versions. */
export function planned(
  from: number,
  direction: "up" | "down",
  to: number,
  migrations: readonly Migration[] = shipped,
): Migrated {
  return direction === "up"
    ? { applied: migrations.slice(from, Math.max(from, to)), reverted: [] }
    : { applied: [], reverted: migrations.slice(to, from).reverse() };
}

async function defaultTarget(
  db: Db,
  schema: string,
  migrations: readonly Migration[],
  direction: "up" | "down",
): Promise<number> {
  if (direction === "up") return migrations.length;
  return Math.max(versionOf(await checked(db, schema, migrations)) - 1, 0);
}

async function checked(
  tx: Tx,
  schema: string,
  migrations: readonly Migration[],
): Promise<readonly AppliedMigration[]> {
  const applied = await read(tx, schema);
  assertKnown(schema, applied, migrations);
  return applied;
}

async function read(tx: Tx, schema: string): Promise<readonly AppliedMigration[]> {
  const quoted = quoteIdentifier(schema);
  const columns = await tx.query<{ attname: string }>(
    `select attname
    from pg_attribute
    where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [`${quoted}.migrations`],
  );
  if (columns.length === 0) return [];
  if (!columns.some(({ attname }) => attname === "sha256")) {
    throw new SchemaVersionError(
      `Cannot use schema "${schema}": its table "migrations" belongs to another program`,
    );
  }
  const rows = await tx.query<Record<"version" | "name" | "sha256" | "at", string>>(
    `select version::text, name, sha256, (extract(epoch from applied_at) * 1000)::text as at
    from ${quoted}.migrations
    order by version`,
  );
  return rows.map(({ version, name, sha256, at }) => ({
    version: Number(version),
    name,
    sha256,
    appliedAt: new Date(Number(at)),
  }));
}
