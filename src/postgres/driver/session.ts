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
