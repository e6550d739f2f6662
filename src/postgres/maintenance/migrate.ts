import { migrate as migrateTables, planned, status } from "../migrations/migrate.ts";
import type { Migration, MigrationName, MigrationStatus } from "../migrations/migration.ts";
import { scriptOf } from "../migrations/migration_sql.ts";
import { migrations } from "../migrations/migrations.gen.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";
import {
  type KnownOptions,
  maintenanceNames,
  type MaintenanceOptions,
  onDatabase,
  refuseOthers,
} from "./database.ts";

/** Which way and how far {@linkcode migrate} goes. */
export interface MigrateOptions extends MaintenanceOptions {
  /** Default: `"up"`. */
  readonly direction?: "up" | "down" | undefined;
  /**
   * The version to stop at; 0 is before the first. Default: the newest one on the way up, one below
   * the current one on the way down.
   */
  readonly to?: number | undefined;
  /** Change nothing and return what would be done. Default: false. */
  readonly dryRun?: boolean | undefined;
}

/** What {@linkcode migrate} did, or would do, in the order in which it was done. */
export interface MigrateResult {
  /** The migrations that were applied. */
  readonly applied: readonly MigrationName[];
  /** The migrations that were reverted, the newest first. */
  readonly reverted: readonly MigrationName[];
}

/** Which part of the SQL {@linkcode migrationSql} returns. */
export interface MigrationSqlOptions {
  /** The schema of the engine's tables. Default: `"hephaestus"`. */
  readonly schema?: string | undefined;
  /** Default: `"up"`. */
  readonly direction?: "up" | "down" | undefined;
  /** The version that the database is at; 0 is before the first. */
  readonly from: number;
  /** The version to stop at. Default: the newest one, or one below `from` on the way down. */
  readonly to?: number | undefined;
}

const migrateNames: KnownOptions<MigrateOptions> = {
  ...maintenanceNames,
  direction: true,
  dryRun: true,
  to: true,
};
const sqlNames: KnownOptions<MigrationSqlOptions> = {
  direction: true,
  from: true,
  schema: true,
  to: true,
};

/**
 * Brings the engine's tables to a version, one transaction for each migration.
 *
 * It opens one connection and closes it again. Many processes may call it at once: one of them does
 * the work, the others wait for it. No statement has a time limit, since an index on a large table
 * takes as long as it takes. A migration that meets a deadlock is tried again, 20 times at most.
 *
 * @throws {TypeError} When an option, the address or the name of the schema cannot be used.
 * @throws {RangeError} When `to` is no version of this package.
 * @throws {SchemaVersionError} When the tables are those of a newer package, of a changed migration
 * or of another program.
 * @throws {HephaestusError} With code `DATABASE_REFUSED` when the server does not let us in or is
 * older than PostgreSQL 15, `DATABASE_UNREACHABLE` when it is not there, `DATABASE_UNAVAILABLE` when
 * it lacks resources now, `DATABASE_FAILED` when the role may not do it or a statement fails.
 *
 * @example Migrate, and say what was done
 * ```ts
 * import { migrate } from "@hephaestus/workflow/postgres";
 *
 * export async function deploy(url: string): Promise<void> {
 *   const { applied } = await migrate({ url, schema: "orders" });
 *   for (const { version, name } of applied) console.log(`applied ${version} ${name}`);
 * }
 * ```
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  refuseOthers("migrate", options, migrateNames);
  const { direction, to, dryRun } = options;
  checkDirection(direction);
  const { applied, reverted } = await onDatabase(
    options,
    (db, schema) => migrateTables(db, { schema, direction, to, dryRun }),
  );
  return { applied: applied.map(named), reverted: reverted.map(named) };
}

/**
 * Lists the migrations of this package, and those that only the database knows, by version.
 *
 * It opens one connection, reads and closes it again. Nothing is changed, and tables that are not
 * there yet are no error.
 *
 * @throws {TypeError} When an option, the address or the name of the schema cannot be used.
 * @throws {SchemaVersionError} When the tables are those of another program.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as {@linkcode migrate} has it.
 *
 * @example Wait with a start until somebody has migrated
 * ```ts
 * import { migrationStatus } from "@hephaestus/workflow/postgres";
 *
 * export async function isMigrated(url: string): Promise<boolean> {
 *   const migrations = await migrationStatus({ url });
 *   return migrations.every(({ state }) => state === "applied");
 * }
 * ```
 */
export async function migrationStatus(
  options: MaintenanceOptions,
): Promise<readonly MigrationStatus[]> {
  refuseOthers("read the status of migrations", options, maintenanceNames);
  return await onDatabase(options, (db, schema) => status(db, { schema }));
}

/**
 * Returns what {@linkcode migrate} would run, as text for `psql` or another tool. It asks no
 * database.
 *
 * The text has one transaction for each migration, which ends with an error where the database is at
 * another version. It is `""` where there is nothing to do.
 *
 * @throws {TypeError} When an option or the name of the schema cannot be used.
 * @throws {RangeError} When `from` or `to` is no version of this package.
 *
 * @example Hand the first tables to another tool
 * ```ts
 * import { migrationSql } from "@hephaestus/workflow/postgres";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const sql = migrationSql({ schema: "orders", from: 0, to: 1 });
 * assertStringIncludes(sql, 'create table if not exists "orders".migrations');
 * ```
 */
export function migrationSql(options: MigrationSqlOptions): string {
  refuseOthers("write the SQL of migrations", options, sqlNames);
  const { schema = "hephaestus", direction = "up", from } = options;
  checkDirection(direction);
  quoteIdentifier(schema);
  const { to = direction === "up" ? migrations.length : Math.max(from - 1, 0) } = options;
  for (const version of [from, to]) {
    if (Number.isInteger(version) && version >= 0 && version <= migrations.length) continue;
    throw new RangeError(
      `Cannot migrate schema "${schema}" to version ${version}: versions are 0 to ${migrations.length}`,
    );
  }
  const { applied, reverted } = planned(from, direction, to);
  return scriptOf(schema, direction, [...applied, ...reverted]);
}

function checkDirection(direction: unknown): void {
  if (direction === undefined || direction === "up" || direction === "down") return;
  throw new TypeError('Cannot migrate: the option direction is "up" or "down"');
}

function named({ version, name }: Migration): MigrationName {
  return { version, name };
}
