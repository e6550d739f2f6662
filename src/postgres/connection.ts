import postgres from "postgres";
import { DatabaseError, databaseError, isAnswer, isUnwritable } from "./connection_error.ts";
import type { ConnectOptions } from "./db.ts";
import { checkStatement } from "./parameters.ts";
import { settings } from "./settings.ts";
import { avoid, type Endpoint, openSocket } from "./sockets.ts";

/** One answer of the server; `columns` has the type of each column. */
export type Answer = readonly unknown[] & {
  readonly command?: string | null;
  readonly columns?: readonly { readonly name: string; readonly type: number }[] | null;
};

export interface ConnectionHooks {
  readonly onNotify?: (payload: string) => void;
  readonly onLost?: () => void;
}

const connectPatience = 10_000;
const mostPrepared = 500;

// Text in and text out for the types the driver would convert: see mergeUserTypes in its source.
const asText = {
  to: 25,
  from: [16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1114, 1184, 3802],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

/**
 * One session with the server, on one socket of our own, for one caller at a time. The driver's
 * own pool reopens a slot under a transaction that has died; so each connection is a driver
 * client of its own, which is never used again after its socket is gone.
 */
export class Connection {
  readonly #sql: postgres.Sql;
  readonly #prepared: Set<string> | undefined;
  readonly #deadline: number;
  readonly #ended = new AbortController();
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #hooks: ConnectionHooks;
  #opened = false;

  private constructor(
    options: ConnectOptions,
    password: string | undefined,
    hooks: ConnectionHooks,
  ) {
    this.#hooks = hooks;
    this.#deadline = deadlineOf(options);
    this.#prepared = options.prepare === false ? undefined : new Set();
    this.#sql = driver(options, password, {
      socket: (to: Endpoint) => this.#openOnce(to),
      onnotify: (_channel: string, payload: string) => hooks.onNotify?.(payload),
      onparameter: (name: string, value: string) => {
        // What a standby answers may be old, and nothing can be written to it.
        if (name === "in_hot_standby" && value === "on") {
          this.destroy(new DatabaseError("25006", "The server is a standby"));
        }
      },
      onclose: () => this.destroy(new DatabaseError("CONNECTION_CLOSED", "The server hung up")),
    });
  }

  /** The driver waits for a password function inside the handshake, where a lost socket ends the process. */
  static async open(options: ConnectOptions, hooks: ConnectionHooks = {}): Promise<Connection> {
    const { password } = options;
    return new Connection(
      options,
      typeof password === "function" ? await password() : password,
      hooks,
    );
  }

  /** Why nothing can be sent any more. */
  get lost(): Error | undefined {
    return this.#ended.signal.reason;
  }

  /** Sends one statement, or several when `script`, and gives up on the answer at the deadline. */
  async send(
    text: string,
    parameters: readonly (string | null)[] = [],
    { script = false }: { readonly script?: boolean } = {},
  ): Promise<Answer> {
    checkStatement(text, parameters);
    const giveUp = () =>
      this.destroy(new DatabaseError("CONNECTION_DEADLINE", "The server did not answer in time"));
    const timer = this.#deadline > 0 ? setTimeout(giveUp, this.#deadline) : undefined;
    try {
      return await this.unlessLost(() =>
        this.#sql.unsafe(text, [...parameters], {
          simple: script,
          prepare: !script && this.#prepares(text),
        } as postgres.UnsafeQueryOptions)
      );
    } catch (thrown) {
      const error = databaseError(thrown);
      if (!isAnswer(error)) this.destroy(error as Error);
      throw this.lost ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for `work`, which is not begun on a lost connection and rejects when it gets lost. */
  unlessLost<T>(work: () => PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.lost) return reject(this.lost);
      const settled = () => this.#waiting.delete(reject);
      this.#waiting.add(reject);
      work().then((value) => (settled(), resolve(value)), (error) => (settled(), reject(error)));
    });
  }

  /** Says goodbye to the server, for at most `patience` milliseconds. */
  async close(patience: number): Promise<void> {
    if (!this.lost) await this.#sql.end({ timeout: patience / 1000 }).catch(() => {});
    this.destroy(new DatabaseError("CONNECTION_ENDED", "The connection was closed"));
  }

  /** Drops the socket; what was waiting for an answer rejects with `error`. */
  destroy(error: Error): void {
    if (this.lost) return;
    this.#ended.abort(error);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#hooks.onLost?.();
  }

  // A second socket would carry the statements of a dead transaction into a new session.
  async #openOnce(to: Endpoint): Promise<unknown> {
    if (this.#opened) throw new DatabaseError("CONNECTION_CLOSED", "The connection was lost");
    this.#opened = true;
    const { signal } = this.#ended;
    const socket = await openSocket(to, connectPatience, signal);
    signal.addEventListener("abort", () => isUnwritable(signal.reason) && avoid(to, socket));
    return socket;
  }

  // The server keeps each statement it prepared as long as the session lives.
  #prepares(text: string): boolean {
    if (!this.#prepared) return false;
    if (this.#prepared.size < mostPrepared) this.#prepared.add(text);
    return this.#prepared.has(text);
  }
}

/** Refuses options that the driver cannot read, and never shows the URL. */
export function checkOptions(options: ConnectOptions): void {
  const { max = 10 } = options;
  if (!Number.isInteger(max) || max < 1) {
    throw new RangeError(`Cannot connect to the database: max must be 1 or more, got ${max}`);
  }
  settings(options);
  try {
    driver(options, undefined, {});
  } catch {
    // The driver's error would quote the URL with its password.
    throw new TypeError(
      "Cannot connect to the database: its URL must read postgres://user:password@host:port/database",
    );
  }
}

function deadlineOf({ statementTimeout = 30_000, deadline }: ConnectOptions): number {
  return Math.min(deadline ?? (statementTimeout > 0 ? statementTimeout + 5_000 : 0), 2 ** 31 - 1);
}

function driver(options: ConnectOptions, password: string | undefined, own: object): postgres.Sql {
  const { url, host, port, user, database, ssl, prepare = true } = options;
  const given = Object.entries({ host, port, user, database, password, ssl })
    .filter(([, value]) => value !== undefined);
  const all = {
    ...Object.fromEntries(given),
    ...own,
    max: 1,
    prepare,
    debug: false,
    fetch_types: false,
    idle_timeout: null,
    max_lifetime: null,
    connect_timeout: connectPatience / 1000,
    types: { text: asText },
    onnotice: () => {},
    connection: {
      application_name: options.applicationName ?? "hephaestus",
      // PgBouncer knows few startup parameters and gives each transaction another session.
      ...(prepare ? settings(options) : {}),
    },
  } as unknown as postgres.Options<Record<string, postgres.PostgresType>>;
  return (url === undefined ? postgres(all) : postgres(url, all)) as unknown as postgres.Sql;
}
