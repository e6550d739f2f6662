/** A migration by its place. */
export interface MigrationName {
  /** Its place, from 1, without gaps. */
  readonly version: number;
  /** What it is called, for instance `"init"`. */
  readonly name: string;
}

/** One step of the schema, up and down. */
export interface Migration extends MigrationName {
  /** SHA-256 of `up`, in hex. */
  readonly sha256: string;
  readonly up: string;
  readonly down: string;
}

/** A migration as a database knows it. */
export interface MigrationStatus extends MigrationName {
  /**
   * `pending` is not applied yet. `changed`: another migration was applied under this version.
   * `unknown`: this package does not have it.
   */
  readonly state: "applied" | "pending" | "changed" | "unknown";
  /** When it was applied, by the database's clock; `undefined` when it is pending. */
  readonly appliedAt: Date | undefined;
}
