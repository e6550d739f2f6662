/** Identifies a migration. */
export interface MigrationName {
  /** Its position, from 1, without gaps. */
  readonly version: number;
  /** Its name, for example `"init"`. */
  readonly name: string;
}

/** One change of the schema, up and down. */
export interface Migration extends MigrationName {
  /** SHA-256 of `up`, in hex. */
  readonly sha256: string;
  readonly up: string;
  readonly down: string;
}

/** A migration and its state in a database. */
export interface MigrationStatus extends MigrationName {
  /**
   * `pending`: not applied yet. `changed`: another migration was applied under this version.
   * `unknown`: this package does not have it.
   */
  readonly state: "applied" | "pending" | "changed" | "unknown";
  /** When it was applied, by the database's clock; `undefined` if it is pending. */
  readonly appliedAt: Date | undefined;
}
