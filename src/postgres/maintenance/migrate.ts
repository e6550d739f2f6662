import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import { migrate as migrateTables, planned, status } from "../migrations/migrate.ts";
import type { Migration, MigrationName, MigrationStatus } from "../migrations/migration.ts";
import { scriptOf } from "../migrations/migration_sql.ts";
import { migrations } from "../migrations/migrations.gen.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";
import { maintenanceNames, type MaintenanceOptions, onDatabase } from "./database.ts";

/** Direction and target of {@linkcode migrate}. */
export interface MigrateOptions extends MaintenanceOptions {
  /** Default: `"up"`. */
  readonly direction?: "up" | "down" | undefined;
  /**
   * The version to stop at; 0 is before the first migration. Default: the newest version for
   * `"up"`, one below the current one for `"down"`.
   */
  readonly to?: number | undefined;
  /** Change nothing and return what would be done. Default: false. */
  readonly dryRun?: boolean | undefined;
}

/** What {@linkcode migrate} did or would do, in order. */
export interface MigrateResult {
  /** The migrations that were applied. */
  readonly applied: readonly MigrationName[];
  /** The migrations that were reverted, newest first. */
  readonly reverted: readonly MigrationName[];
}

/** Which part of the SQL {@linkcode migrationSql} returns. */
export interface MigrationSqlOptions {
  /** The schema of the engine's tables. Default: `"hephaestus"`. */
  readonly schema?: string | undefined;
  /** Default: `"up"`. */
  readonly direction?: "up" | "down" | undefined;
  /** The current version of the database; 0 is before the first migration. */
  readonly from: number;
  /**
   * The version to stop at. Default: the newest version for `"up"`, one below `from` for `"down"`.
   */
  readonly to?: number | undefined;
}

const migrateNames: OptionNames<MigrateOptions> = {
  ...maintenanceNames,
  direction: true,
  dryRun: true,
  to: true,
};
const sqlNames: OptionNames<MigrationSqlOptions> = {
  direction: true,
  from: true,
  schema: true,
  to: true,
};

/**
 * Migrates the engine's tables to a version, one transaction per migration.
 *
 * It opens one connection and closes it at the end. Many processes may call it at the same time:
 * one of them does the work, and the others wait for it. Statements have no time limit, because an
 * index on a large table may take long. After a deadlock a migration is retried, at most 20 times.
 *
 * @throws {TypeError} When an option, the address or the schema name is invalid.
 * @throws {RangeError} When `to` is not a version of this package.
 * @throws {SchemaVersionError} When the tables belong to a newer package, a changed migration or
 * another program.
 * @throws {HephaestusError} With code `DATABASE_REFUSED` when the server rejects the connection or
 * is older than PostgreSQL 15, `DATABASE_UNREACHABLE` when it cannot be reached,
 * `DATABASE_UNAVAILABLE` when it temporarily lacks resources, `DATABASE_FAILED` when the role lacks
 * a privilege or a statement fails.
 *
 * @example Migrate and print the applied migrations
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
  checkNames("migrate", options, migrateNames);
  const { direction, to, dryRun } = options;
  checkDirection(direction);
  const { applied, reverted } = await onDatabase(
    options,
    (db, schema) => migrateTables(db, { schema, direction, to, dryRun }),
  );
  return { applied: applied.map(named), reverted: reverted.map(named) };
}

/**
 * Lists the migrations of this package, and those that only the database has, by version.
 *
 * It opens one connection and closes it at the end. It changes nothing. Missing tables are not an
 * error.
 *
 * @throws {TypeError} When an option, the address or the schema name is invalid.
 * @throws {SchemaVersionError} When the tables belong to another program.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as for {@linkcode migrate}.
 *
 * @example Check at startup whether all migrations are applied
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
  checkNames("read the status of migrations", options, maintenanceNames);
  return await onDatabase(options, (db, schema) => status(db, { schema }));
}

/**
 * Returns the SQL that {@linkcode migrate} would run, for `psql` or another tool. It does not
 * connect to a database.
 *
 * The SQL has one transaction per migration, which fails if the database is at another version. It
 * is `""` if there is nothing to do.
 *
 * @throws {TypeError} When an option or the schema name is invalid.
 * @throws {RangeError} When `from` or `to` is not a version of this package.
 *
 * @example Get the SQL of the first migration for another tool
 * ```ts
 * import { migrationSql } from "@hephaestus/workflow/postgres";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const sql = migrationSql({ schema: "orders", from: 0, to: 1 });
 * assertStringIncludes(sql, 'create table if not exists "orders".migrations');
 * ```
 */
export function migrationSql(options: MigrationSqlOptions): string {
  checkNames("write the SQL of migrations", options, sqlNames);
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
