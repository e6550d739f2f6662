/**
 * Creates, migrates and checks the engine's tables in PostgreSQL, and exports the types of the
 * connection options.
 *
 * @example Migrate the tables before creating the engine
 * ```ts
 * import { Hephaestus } from "@hephaestus/workflow";
 * import { migrate } from "@hephaestus/workflow/postgres";
 *
 * export async function open(url: string): Promise<Hephaestus> {
 *   await migrate({ url });
 *   return new Hephaestus({ url, workflows: [] });
 * }
 * ```
 *
 * @module
 */
export type { CheckedVersion, DeployVerdict } from "../core/deploy/compare.ts";
export { check, type CheckOptions, type DeployCheck } from "./maintenance/check.ts";
export type { MaintenanceOptions } from "./maintenance/database.ts";
export {
  doctor,
  type DoctorOptions,
  type DoctorReport,
  type DoctorViolation,
} from "./maintenance/doctor.ts";
export {
  migrate,
  type MigrateOptions,
  type MigrateResult,
  migrationSql,
  type MigrationSqlOptions,
  migrationStatus,
} from "./maintenance/migrate.ts";
export {
  type MigratedInstances,
  migrateInstances,
  type MigrateInstancesOptions,
  type RefusedInstances,
} from "./maintenance/migrate_instances.ts";
export type { MigrationName, MigrationStatus } from "./migrations/migration.ts";

// Types of the engine's options: address, connections and the caller's transaction.
export type { PostgresOptions } from "./backend.ts";
export type { AddressOptions, SslMode } from "./driver/address/address.ts";
export type { ConnectionsOptions, SharedConnections } from "./driver/connections.ts";
export type {
  AnyTransaction,
  CallerTx,
  DrizzleSql,
  DrizzleTx,
  KyselyTx,
  PgClient,
  PostgresJsTx,
} from "./user_sql/caller_libraries.ts";
