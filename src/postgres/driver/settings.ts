import type { ConnectOptions } from "./contract.ts";

/** What each session runs with, whatever the database's defaults are. */
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
 * Begins a transaction; behind PgBouncer the settings come with it, for nothing else keeps them.
 */
export function beginning(options: ConnectOptions): string {
  const begin = "begin isolation level read committed";
  if (options.prepare !== false) return begin;
  const savepoint = options.clean === undefined ? [] : ["savepoint hephaestus"];
  return [begin, setLocal(settings(options)), ...savepoint].join("; ");
}

/**
 * Ends a transaction that has failed; behind PgBouncer nothing can be sent to its session
 * afterwards.
 */
export function rollingBack({ prepare, clean }: ConnectOptions): string {
  return prepare !== false || clean === undefined
    ? "rollback"
    : `rollback to savepoint hephaestus; ${clean}; rollback`;
}

/**
 * What a session runs with while somebody else's SQL is in it, and what it must not keep of it. A
 * step's SQL runs in a session whose settings are the database's own; the engine's part of the same
 * transaction runs with the engine's.
 */

export const engineSettings = {
  // The engine's statements keep the plans of a full table: one that was made for an empty one
  // costs 480 µs a row later.
  enable_seqscan: "off",
  plan_cache_mode: "force_generic_plan",
  // A result by anybody else is checked for its instance, by a trigger.
  "hephaestus.writer": "engine",
} as const;

const reset = "reset session authorization; reset role; reset all";

/**
 * Everything that outlives a transaction and that SQL can make; statements that the driver has
 * prepared stay.
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

/** Makes a session what it was when it was opened. */
export const clean: string = `${reset}; ${forget}`;

/**
 * Goes from the step's part of a transaction to the engine's. What the step has deferred is checked
 * before, under the role and the settings that it was written under.
 *
 * @param clean Whether the session is somebody else's after the transaction, as behind PgBouncer:
 * then it is cleaned at once.
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
