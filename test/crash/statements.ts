/** A statement's name, by what its text holds: the first that fits. */
const names: readonly (readonly [text: RegExp, name: string])[] = [
  [/^begin/, "begin"],
  [/^commit$/, "commit"],
  [/^rollback$/, "rollback"],
  [/^listen /, "listen"],
  [/^select pg_notify/, "notify"],
  [/current_setting\('server_version'\)/, "look at the server"],
  [/pg_advisory_xact_lock\([^]* as moving$/, "lock deliveries out"],
  [/^select set_config\('lock_timeout'/, "set the patience"],
  [/^select id::text, key\s+from .*\s+where finished_at is null and workflow/, "list what is open"],
  [/^select fingerprint::text, graph::text/, "read the graphs"],
  [/^select kind, state, step, queue, args/, "lock the jobs"],
  [/^select step_ref as step, activation/, "read the results"],
  [/^with moved as/, "move"],
  [/pg_advisory_xact_lock\(/, "lock the schema"],
  [/from pg_attribute/, "look for migrations"],
  [/^do [^]*create schema/, "create the schema"],
  [/^create table if not exists .*migrations/, "create the list of migrations"],
  [/^insert into .*\.migrations/, "note the migration"],
  [/^delete from .*\.migrations/, "strike the migration off"],
  [/^drop table .*\.migrations/, "drop the list of migrations"],
  [/^do [^]*drop schema/, "drop the schema"],
  [/^select version::text, name, sha256/, "read the migrations"],
  [/create table .*\.workflow_(instances|graphs|versions)/, "apply the migration"],
  [/drop table .*\.workflow_(instances|graphs|versions)/, "revert the migration"],
  [/insert into effects/, "the user's effect"],
  [/^insert into .*\.processes/, "register"],
  [/^update .*\.processes/, "beat"],
  [
    /from .*\.jobs\s+where state = 'executing' and process_id = \$1::text::bigint/,
    "list what is owned",
  ],
  [/^select id::text from .*\.processes where expires_at/, "look for the dead"],
  [/^delete from .*\.processes\s+where id = any/, "declare dead"],
  [/^delete from .*\.processes where id = \$1/, "leave"],
  [/nextval/, "reserve ids"],
  [/pg_postmaster_start_time/, "look for the database of the engine"],
  [/^with me .*\bopened as/s, "open"],
  [/^with me .*\badvanced as/s, "turn"],
  [/^with me .*\bbegun as/s, "begin what SQL has started"],
  [/^insert into .*\.workflow_versions/, "announce"],
  [/set state = 'discarded', process_id/, "discard a delivery"],
  [/^with me .*set state = 'executing'/s, "claim"],
  [/^with me .*\bhere as/s, "schedule"],
  [/^with given .*\bentered as/s, "compare graphs"],
  [/^with given .*\brecorded as/s, "record"],
  [/^with held .*\brecorded as/s, "deliver"],
  [/^with settled .*delete from .*set processed = true/s, "pass"],
  [/^\s*with back .*join unnest/s, "release"],
  [/^\s*with back .*scheduled_at <= now\(\)/s, "stage"],
  [/^\s*with back .*process_id = any/s, "free"],
  [/^with reopened as/, "reopen"],
  [/^with numbered as/, "fork"],
  [/set state = 'retryable'/, "retry"],
  [/set state = 'scheduled'/, "snooze"],
  [/as due\s+from .*\.jobs\s+where state in \('scheduled'/s, "look for the next due"],
  [/^with recursive alive/, "look for the unserved"],
  [/^select id::text from \([^]*as waiting/, "look for what runs alone"],
  [/^set constraints all immediate/, "set the session back"],
  [/^reset session authorization/, "clean the session"],
  [/^delete from .*finished_at < now\(\)/s, "prune"],
  [/^delete from .*jsonb_exists\(args, 'delivery'\)/s, "cancel a scheduled one"],
  [
    /for no key update|workflow_instances\s+where id = \$1::text::uuid\s+for update/,
    "lock the instance",
  ],
  [/kind = 'advance'\s+order by id\s+for update/, "lock the advances"],
  [/where unique_key = \$1 and/, "look for who has the key"],
  [/^delete from .*\.workflow_instances/, "delete the instance"],
  [/^select id::text, \(extract\(epoch .*\.workflow_instances/, "look for what is there"],
  [/^select id::text, workflow, .* from .*\.workflow_instances\s+where id = any/s, "read"],
  [/^select \(extract\(epoch .* as place, .* from .*\.workflow_instances/s, "list"],
  [/^select job\.process_id::text as process/, "look at what the dead ran"],
  [/^select instance_id::text, .*not processed/s, "read results"],
  [/^select step_ref, activation::text, event, context_updates::text, causes/, "read outputs"],
  [/^select event, delivery_id/, "look at the first delivery"],
  [/^select step_ref, activation::text/, "read the history"],
];

const reading = /^(look|read|list|rollback|listen|lock|set|clean)/;

/** The statements that write, or end a transaction that does. */
export const written: readonly string[] = names.map(([, name]) => name).filter((name) =>
  !reading.test(name)
);

/** What a statement is called. Throws for one that nobody has named: no crash was tried around it. */
export function nameOf(text: string): string {
  const found = names.find(([holds]) => holds.test(text.trim()));
  if (found === undefined) {
    throw new Error(`Cannot name this statement, add it to test/crash/statements.ts: ${text}`);
  }
  return found[1];
}

/** The name with the parts of the statement that are there only where they write something. */
function fullNameOf(text: string): string {
  const name = nameOf(text);
  const parts = [...text.matchAll(/(?:,\n|, )(\w+) as (?:materialized )?\(/g)]
    .map(([, part]) => part)
    .filter((part) => part !== "advanced" && part !== "opened");
  return ["turn", "open"].includes(name) && parts.length > 0
    ? `${name} (${parts.join(", ")})`
    : name;
}

/** Asked again and again: how often is left to chance, so only the first one counts, and each that finds something. */
const asked: ReadonlySet<string> = new Set([
  "beat",
  "claim",
  "compare graphs",
  "list",
  "list what is owned",
  "look for the dead",
  "look for the next due",
  "look for the unserved",
  "prune",
  "stage",
]);

export type Rows = readonly Readonly<Record<string, unknown>>[];

/** Counts the points that a process passes: one before and one after each statement. */
export class Points {
  readonly #count = new Map<string, number>();

  /** The point before a statement; `undefined` where it is left to chance how often it comes. */
  before(text: string): string | undefined {
    return this.#next(`before ${fullNameOf(text)}`, asked.has(nameOf(text)));
  }

  /** The point after its answer: for the database the same as an answer that is lost. */
  after(text: string, rows: Rows): string | undefined {
    const name = nameOf(text);
    if (!asked.has(name)) return this.#next(`after ${fullNameOf(text)}`, false);
    if (name === "claim" && rows.length > 0) {
      const taken = rows.map(({ kind, step }) => [kind, step].filter(Boolean).join(" "));
      return this.#next(`after claim of ${taken.sort().join(", ")}`, false);
    }
    const what = rows.length === 0 ? `${name} in vain` : name;
    return this.#next(`after ${what}`, !["stage", "prune"].includes(name) || rows.length === 0);
  }

  #next(name: string, once: boolean): string | undefined {
    const count = (this.#count.get(name) ?? 0) + 1;
    this.#count.set(name, count);
    if (once && count > 1) return undefined;
    return count === 1 ? name : `${name} #${count}`;
  }
}
