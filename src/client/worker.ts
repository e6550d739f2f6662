import type { Duration } from "../core/value/duration.ts";

/** A process at work. Stop it with `await using` or {@linkcode Worker.stop}. */
export interface Worker extends AsyncDisposable {
  /** Its id in the database; `""` until it is ready. */
  readonly id: string;
  /**
   * Resolves once it works, or was stopped before. As long as there is hope it stays pending: the
   * log says once why, and the worker goes on trying, whether anybody waits for it or not. Rejects
   * where that is pointless: with `SchemaVersionError` when the tables are newer than the code, and
   * when the server is too old.
   */
  readonly ready: Promise<void>;
  /**
   * Stops claiming, lets running steps end for `grace`, aborts the rest, and gives it back without
   * using up an attempt. Called again with a shorter `grace`, it hurries.
   */
  stop(options?: { readonly grace?: Duration }): Promise<void>;
}
