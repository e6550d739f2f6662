import { quoteIdentifier } from "../sql/identifiers.ts";
import type { Migration } from "./migration.ts";

// Class of the advisory locks, used only here, so that they cannot collide with the application's
// locks.
const lockClass = 0x48455031;
const madeHere = "Durable workflows, made by hephaestus migrate";

/** Allows one transaction at a time to change a schema. */
export function lockOf(schema: string): string {
  return `select pg_advisory_xact_lock(${lockClass}, hashtext(${literal(schema)}))`;
}

/** The SQL that applies a migration, in the transaction that marks it as applied. */
export function applying(
  schema: string,
  { version, name, sha256, up }: Migration,
): readonly string[] {
  const quoted = quoteIdentifier(schema);
  const row = `${version}, ${literal(name)}, ${literal(sha256)}`;
  return [
    ...(version === 1 ? preparing(schema) : []),
    substitute(up, quoted),
    `insert into ${quoted}.migrations (version, name, sha256) values (${row})`,
  ];
}

/** The SQL that reverts a migration, in the transaction that removes its mark. */
export function reverting(schema: string, { version, down }: Migration): readonly string[] {
  const quoted = quoteIdentifier(schema);
  return [
    substitute(down, quoted),
    `delete from ${quoted}.migrations where version = ${version}`,
    ...(version === 1 ? removingTraces(schema) : []),
  ];
}

/**
 * The SQL of these migrations for psql or another tool. It fails if the database is at another
 * version.
 */
export function scriptOf(
  schema: string,
  direction: "up" | "down",
  migrations: readonly Migration[],
): string {
  return migrations.map((migration) => {
    const { version, name } = migration;
    const expected = direction === "up" ? version - 1 : version;
    const work = direction === "up" ? applying(schema, migration) : reverting(schema, migration);
    const statements = ["begin", lockOf(schema), expecting(schema, expected), ...work, "commit"];
    return [
      `-- ${version} ${JSON.stringify(name)}, ${direction}, in schema ${JSON.stringify(schema)}`,
      ...statements.map((statement) => `${statement.trim().replace(/;$/, "")};`),
    ].join("\n");
  }).join("\n\n");
}

/** A role may use an existing schema without the privilege to create one. */
function preparing(schema: string): readonly string[] {
  const quoted = quoteIdentifier(schema);
  return [
    block(`if not exists (select from pg_namespace where nspname = ${literal(schema)}) then
    create schema ${quoted};
    comment on schema ${quoted} is ${literal(madeHere)};
  end if;`),
    `create table if not exists ${quoted}.migrations (
  version    int         primary key,
  name       text        not null,
  sha256     text        not null,
  applied_at timestamptz not null default now()
)`,
  ];
}

/** Drops the schema only if it was created by a migration and contains nothing else. */
function removingTraces(schema: string): readonly string[] {
  const quoted = quoteIdentifier(schema);
  return [
    `drop table ${quoted}.migrations`,
    block(`if exists (
    select from pg_namespace as namespace
    where nspname = ${literal(schema)}
      and obj_description(oid, 'pg_namespace') = ${literal(madeHere)}
      and not exists (
        select from pg_depend
        where refclassid = 'pg_namespace'::regclass and refobjid = namespace.oid
      )
  ) then
    drop schema ${quoted};
  end if;`),
  ];
}

/** Fails if the database is at another version. */
function expecting(schema: string, version: number): string {
  const table = `${quoteIdentifier(schema)}.migrations`;
  const sentence = `Cannot migrate schema "${schema}": it is not at version ${version}`;
  return block(`if to_regclass(${literal(table)}) is null then
    if ${version} > 0 then raise exception using message = ${literal(sentence)}; end if;
  elsif (select coalesce(max(version), 0) from ${table}) <> ${version} then
    raise exception using message = ${literal(sentence)};
  end if;`);
}

function block(body: string): string {
  return `do ${literal(`begin\n  ${body}\nend`)}`;
}

function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

function substitute(sql: string, quoted: string): string {
  return sql.replaceAll(/(?<!:):schema\b/g, () => quoted);
}
