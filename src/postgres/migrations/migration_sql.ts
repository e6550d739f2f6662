import type { Migration } from "./migration.ts";
import { quoteIdentifier } from "../sql/identifiers.ts";

// The application's own advisory locks cannot collide: this class is only used here.
const lockClass = 0x48455031;
const madeHere = "Durable workflows, made by hephaestus migrate";

/** Lets one transaction at a time change a schema. */
export function lockOf(schema: string): string {
  return `select pg_advisory_xact_lock(${lockClass}, hashtext(${literal(schema)}))`;
}

/** What a migration does, in the transaction that marks it as applied. */
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

/** What takes a migration back, in the transaction that no longer has it as applied. */
export function reverting(schema: string, { version, down }: Migration): readonly string[] {
  const quoted = quoteIdentifier(schema);
  return [
    substitute(down, quoted),
    `delete from ${quoted}.migrations where version = ${version}`,
    ...(version === 1 ? removingTraces(schema) : []),
  ];
}

/**
 * The SQL of these migrations for psql or another tool, which ends where the database is at another
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

/** A schema that is there already may be ours to use without being ours to create. */
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

/** Drops the schema only when it was made here and nobody has put anything else into it. */
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

/** Ends with an error where the database is at another version. */
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
