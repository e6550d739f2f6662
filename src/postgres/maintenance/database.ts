import { HephaestusError } from "../../core/errors/errors.ts";
import type { OptionNames } from "../../core/value/option_names.ts";
import type { AddressOptions } from "../driver/address/address.ts";
import { connect } from "../driver/connect.ts";
import type { Db } from "../driver/contract.ts";
import { describe } from "../driver/errors.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";

/** Which tables to work on, and how to reach them. */
export interface MaintenanceOptions extends AddressOptions {
  /** The schema of the engine's tables. Default: `"hephaestus"`. */
  readonly schema?: string | undefined;
  /**
   * Use prepared statements. Set false behind PgBouncer in transaction mode. Default: true, or
   * false with `pgbouncer=true` in the URL.
   */
  readonly prepare?: boolean | undefined;
}

export const maintenanceNames: OptionNames<MaintenanceOptions> = {
  database: true,
  host: true,
  password: true,
  port: true,
  prepare: true,
  schema: true,
  ssl: true,
  url: true,
  user: true,
};

/** Runs `work` on its own connection. Its errors are sentences without secrets. */
export async function onDatabase<T>(
  { schema = "hephaestus", ...options }: MaintenanceOptions,
  work: (db: Db, schema: string) => Promise<T>,
): Promise<T> {
  const { url, host, port, user, password, database, ssl, prepare } = options;
  quoteIdentifier(schema);
  const address = { url, host, port, user, password, database, ssl };
  const db = connect({ ...address, prepare, max: 1, statementTimeout: 0 });
  try {
    return await work(db, schema);
  } catch (error) {
    throw sentence(error);
  } finally {
    await db.close();
  }
}

/**
 * The engine's own statements contain no values, so the server's messages about them may be shown.
 */
function sentence(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const described = describe(error);
  if (described === error || described.code !== "DATABASE_FAILED") return described;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${described.message}: ${reason}`;
  return new HephaestusError("DATABASE_FAILED", message, { cause: error });
}
