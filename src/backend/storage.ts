import type { Failure } from "../core/value/failure.ts";
import type { KnownVersion } from "./from_sql.ts";
import type { Lease, Queue } from "./queue.ts";
import type { NewInstance, Store, Written } from "./store.ts";

/** What a database whose SQL functions start instances needs from a process with the code. */
export interface FromSql {
  /** Stores what the functions must know of the versions that a process has. */
  announce(versions: readonly KnownVersion[]): Promise<void>;
  /**
   * Writes the first turn of an instance that SQL has started, with its jobs. Does nothing if the
   * instance has begun or ended, or if the process was declared dead. An instance that fails before
   * its first turn keeps revision 0.
   */
  begin(process: string, instance: NewInstance): Promise<Written>;
  /** Discards a job for good. Returns false when the lease is stale. */
  discard(lease: Lease, error: Failure): Promise<boolean>;
}

/** Where instances and jobs are stored. */
export interface Backend extends AsyncDisposable {
  /** The name of the backend, for messages. */
  readonly name: string;
}

/** The queue and the store of one database: all that the runner needs from outside. */
export interface Storage extends Backend {
  readonly queue: Queue;
  readonly store: Store;
  /** Absent if the backend has no SQL. */
  readonly fromSql?: FromSql;
  /** Throws when the backend is not ready for work. The message says what to do. */
  ready(): Promise<void>;
}
