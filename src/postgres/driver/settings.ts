import type { ConnectOptions } from "./contract.ts";
import { setLocal } from "./session.ts";

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
