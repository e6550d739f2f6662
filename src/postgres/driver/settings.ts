import type { ConnectOptions } from "./contract.ts";

/** The settings of each session, independent of the database's defaults. */
export function settings(options: ConnectOptions): Readonly<Record<string, string>> {
  const { statementTimeout = 30_000 } = options;
  const all = {
    default_transaction_isolation: "read committed",
    statement_timeout: String(statementTimeout),
    // A process that stops inside a transaction must not keep its locks.
    idle_in_transaction_session_timeout: String(statementTimeout),
    datestyle: "ISO, MDY",
    ...options.settings,
  };
  for (const [name, value] of Object.entries(all)) {
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name) || value.includes("\u0000")) {
      throw new TypeError(`Cannot connect to the database: "${name}" is not a setting`);
    }
  }
  return all;
}

/**
 * Begins a transaction. Behind PgBouncer this includes the settings, which would otherwise not
 * persist.
 */
export function beginning(options: ConnectOptions): string {
  const begin = "begin isolation level read committed";
  if (options.prepare !== false) return begin;
  const savepoint = options.clean === undefined ? [] : ["savepoint hephaestus"];
  return [begin, setLocal(settings(options)), ...savepoint].join("; ");
}

/**
 * Ends a transaction that has failed. Behind PgBouncer nothing can be sent to its session
 * afterwards.
 */
export function rollingBack({ prepare, clean }: ConnectOptions): string {
  return prepare !== false || clean === undefined
    ? "rollback"
    : `rollback to savepoint hephaestus; ${clean}; rollback`;
}

/**
 * How a session is prepared for user SQL, and cleaned after it. A step's SQL runs with the
 * database's own settings; the engine's part of the same transaction runs with the engine's.
 */

export const engineSettings = {
  // The engine needs the plans of a full table: a plan made for an empty table later costs 480 µs
  // per row.
  enable_seqscan: "off",
  plan_cache_mode: "force_generic_plan",
  // A trigger checks the instance of results from any other writer.
  "hephaestus.writer": "engine",
} as const;

const reset = "reset session authorization; reset role; reset all";

/**
 * Resets everything that SQL can create and that outlives a transaction. Statements prepared by the
 * driver stay.
 */
const forget = [
  "close all",
  "unlisten *",
  "select pg_advisory_unlock_all()",
  "discard temp",
  "discard sequences",
  `do $$
declare
  statement text;
begin
  for statement in select name from pg_prepared_statements where from_sql loop
    execute format('deallocate %I', statement);
  end loop;
end $$`,
].join("; ");

/** Restores a session to the state in which it was opened. */
export const clean: string = `${reset}; ${forget}`;

/**
 * Statements that switch from the step's part of a transaction to the engine's. Deferred
 * constraints of the step are checked first, under the role and settings of the step.
 *
 * @param clean Whether others use the session after the transaction, as behind PgBouncer. It is
 * then cleaned immediately.
 */
export function engineStatements(
  settings: Readonly<Record<string, string>>,
  clean = false,
): string {
  return ["set constraints all immediate", reset, ...(clean ? [forget] : []), setLocal(settings)]
    .join("; ");
}

/** Settings for the rest of the transaction. */
export function setLocal(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `set local ${name} = '${value.replaceAll("'", "''")}'`)
    .join("; ");
}
