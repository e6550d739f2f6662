import type { AddressOptions } from "./address/address.ts";
import type { Parameter } from "./parameters.ts";

/** A row as the server sent it: every column as text. */
export type Row = Record<string, string | null>;

/** Runs statements. Parameters and results are text. */
export interface Tx {
  /** Runs one statement; parameters are `$1`, `$2` ... */
  query<R = Row>(text: string, params?: readonly Parameter[]): Promise<readonly R[]>;
  /** Runs several statements without parameters. */
  script(text: string): Promise<void>;
}

/** Runs single statements: a pool or a transaction. */
export type Queryable = Pick<Tx, "query">;

export interface Db extends Tx {
  /** Runs `work` in a transaction, at isolation level read committed. */
  transaction<T>(
    work: (tx: Tx) => Promise<T>,
    options?: { readonly deadline?: number },
  ): Promise<T>;
  /** Lets running statements end within a deadline, then destroys the sockets. */
  close(): Promise<void>;
}

export interface ConnectOptions extends AddressOptions {
  /** Maximum number of connections. Default: 10. */
  readonly max?: number;
  /**
   * Use prepared statements. Default: true, or false if the address says that PgBouncer is in
   * transaction mode.
   */
  readonly prepare?: boolean | undefined;
  readonly applicationName?: string;
  /** More session settings, such as `lock_timeout`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Milliseconds after which the server cancels a statement. 0 means never. Default: 30,000. */
  readonly statementTimeout?: number;
  /** Milliseconds that a caller waits for a free connection. Default: 30,000. */
  readonly patience?: number;
  /** Milliseconds after which an idle connection is closed. Default: 60,000. */
  readonly idle?: number;
  /** The purpose of the connections, if other pools have other purposes. */
  readonly purpose?: Purpose;
  /**
   * A script that cleans a connection after each use. Behind PgBouncer it runs at the end of each
   * transaction that is rolled back.
   */
  readonly clean?: string;
  /**
   * Milliseconds after which the client stops waiting for a response. Default: `statementTimeout`
   * plus 5,000.
   */
  readonly deadline?: number;
}

/** Text for the error when no connection was free. */
export interface Purpose {
  readonly name: string;
  /** Total number of connections for all purposes. */
  readonly poolSize: number;
}
