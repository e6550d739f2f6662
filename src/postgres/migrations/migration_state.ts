import { SchemaVersionError } from "../../core/errors/errors.ts";
import type { Migration } from "./migration.ts";

/** A row of the migrations table. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
  readonly appliedAt: Date;
}

export function versionOf(applied: readonly AppliedMigration[]): number {
  return applied.length;
}

/** Throws {@linkcode SchemaVersionError} unless the applied migrations are a prefix of these. */
export function assertKnown(
  schema: string,
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new SchemaVersionError(
      `Cannot use schema "${schema}": it is at version ${newest}, but this package only knows versions up to ` +
        `${migrations.length}. Update @hephaestus/workflow`,
    );
  }
  applied.forEach((row, index) => {
    const known = migrations[index];
    if (known === undefined || row.version !== known.version) {
      throw new SchemaVersionError(
        `Cannot use schema "${schema}": migration ${
          index + 1
        } is missing, but ${row.version} was applied`,
      );
    }
    if (row.sha256 !== known.sha256) {
      throw new SchemaVersionError(
        `Cannot use schema "${schema}": migration ${row.version} "${row.name}" differs from the one that was applied`,
      );
    }
  });
}

/** The command that creates the tables. */
export function advice(schema: string): string {
  const option = schema === "hephaestus" ? "" : ` --schema ${shellWord(schema)}`;
  return `Run "npx hephaestus migrate${option}" or "deno task migrate${option}"`;
}

function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
