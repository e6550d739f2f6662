import { HephaestusError, SchemaVersionError } from "../core/errors/errors.ts";
import type { Db } from "./driver/contract.ts";
import { sqlState } from "./driver/errors.ts";
import { assertMigrated } from "./migrations/migrate.ts";
import type { Tables } from "./sql/tables.ts";

/**
 * Converts an error of an engine statement to a sentence that says what the database lacks and what
 * to do.
 */
export type ExplainError = (error: unknown) => Promise<unknown>;

// A schema, table, column, function, type or unique key does not exist.
const absent = /^(3F000|42P01|42703|42883|42704|42P10)$/;

/** After a statement has failed, `db` is queried for what is missing. */
export function lackingIn(db: Db, { name }: Tables): ExplainError {
  return async (error) => {
    const code = sqlState(error);
    if (absent.test(code)) return await missing(db, name, error);
    return code === "42501" ? await denied(db, name, error) : error;
  };
}

/**
 * The same database, with errors that say what it lacks. Not for user statements, whose tables are
 * not the engine's.
 */
export function explained(db: Db, lacking: ExplainError): Db {
  const explain = async (error: unknown): Promise<never> => {
    throw await lacking(error);
  };
  return {
    ...db,
    query: (text, params) => db.query<never>(text, params).catch(explain),
    script: (text) => db.script(text).catch(explain),
    transaction: (work, options) => db.transaction(work, options).catch(explain),
  };
}

async function missing(db: Db, schema: string, error: unknown): Promise<unknown> {
  try {
    await assertMigrated(db, { schema });
  } catch (reason) {
    return reason instanceof SchemaVersionError ? reason : error;
  }
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot run a statement: ${
      messageOf(error)
    }, although schema "${schema}" is marked as migrated. Restore what was dropped`,
    { cause: error },
  );
}

async function denied(db: Db, schema: string, error: unknown): Promise<unknown> {
  const rows = await db.query("select current_user as role").catch(() => []);
  const role = rows[0]?.role ? `role "${rows[0].role}"` : "its role";
  const secured = messageOf(error).includes("row-level security");
  return new HephaestusError(
    "DATABASE_FAILED",
    `Cannot run a statement: ${messageOf(error)} (42501). ` +
      (secured
        ? `Turn row-level security off for the tables in schema "${schema}", or let ${role} bypass it`
        : `For schema "${schema}" ${role} needs: usage on the schema, select, insert, update and delete on its tables, ` +
          "usage on its sequences. See docs/operations.md for the statements"),
    { cause: error },
  );
}

/** Errors of these classes name catalog objects, never values. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : sqlState(error);
}
