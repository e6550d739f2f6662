import type { AddressOptions } from "./address/address.ts";
import type { Parameter } from "./parameters.ts";

/** A row as the server wrote it: every column as text. */
export type Row = Record<string, string | null>;

/** Runs statements: strings in, text out. */
export interface Tx {
  /** Runs one statement; parameters are `$1`, `$2` ... */
  query<R = Row>(text: string, params?: readonly Parameter[]): Promise<readonly R[]>;
  /** Runs several statements, which have no parameters. */
  script(text: string): Promise<void>;
}

/** What runs one statement at a time: a pool, or a transaction. */
export type Queryable = Pick<Tx, "query">;

export interface Db extends Tx {
  /** Runs `work` in a transaction, at isolation level read committed. */
  transaction<T>(
    work: (tx: Tx) => Promise<T>,
    options?: { readonly deadline?: number },
  ): Promise<T>;
  /** Lets what runs end, within a deadline, then destroys the sockets. */
  close(): Promise<void>;
}

export interface ConnectOptions extends AddressOptions {
  /** Connections at most. Default: 10. */
  readonly max?: number;
  /** False behind PgBouncer in transaction mode, which is the default when the address says so. */
  readonly prepare?: boolean | undefined;
  readonly applicationName?: string;
  /** More settings of the session, such as `lock_timeout`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Milliseconds after which the server gives up on a statement. 0 is never. Default: 30,000. */
  readonly statementTimeout?: number;
  /** Milliseconds that a caller waits for a free connection. Default: 30,000. */
  readonly patience?: number;
  /** Milliseconds after which an idle connection is closed. Default: 60,000. */
  readonly idle?: number;
  /** What the connections are for, where there are others for other purposes. */
  readonly purpose?: Purpose;
  /**
   * A script that runs on a connection behind each caller; behind PgBouncer, at the end of each
   * transaction that is rolled back.
   */
  readonly clean?: string;
  /** Milliseconds after which we give up on an answer. Default: 5,000 above `statementTimeout`. */
  readonly deadline?: number;
}

/** What is said when no connection was free. */
export interface Purpose {
  readonly name: string;
  /** How many connections there are for all purposes. */
  readonly poolSize: number;
}
