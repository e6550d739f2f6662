import postgres from "postgres";
import { longestTimer } from "../../core/value/duration.ts";
import { type Address, addressOf } from "./address/address.ts";
import type { ConnectOptions } from "./contract.ts";
import { DatabaseError, databaseError, isAnswer, isUnwritable } from "./errors.ts";
import { Bound, checkStatement, type Parameter } from "./parameters.ts";
import { settings } from "./settings.ts";
import { requestCancel, type SessionKey } from "./socket/cancel.ts";
import { avoid, type Encryption, openSocket, type Reached, waysTo } from "./socket/sockets.ts";
import { checkTls } from "./socket/tls.ts";

/** One response of the server; `columns` has the type of each column. */
export type Answer = readonly unknown[] & {
  readonly command?: string | null;
  readonly columns?: readonly { readonly name: string; readonly type: number }[] | null;
};

export interface ConnectionHooks {
  readonly onNotify?: (payload: string, channel: string) => void;
  readonly onLost?: () => void;
}

interface RunningStatement {
  readonly state?: SessionKey;
}

const mostPrepared = 500;

// Passes values through as text for the types that the driver would convert: see mergeUserTypes in
// its source.
const asText = {
  to: 25,
  from: [16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1114, 1184, 3802],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

/** The driver looks up the serializer of a parameter by the oid of its type. */
const serializers = new Proxy({}, {
  has: () => true,
  get: (_, type) => (value: unknown) => value instanceof Bound ? value.as(Number(type)) : value,
});

/**
 * One session with the server, on our own socket, for one caller at a time. The driver's own pool
 * reopens a slot while a dead transaction still uses it. Therefore each connection is a separate
 * driver client, which is never reused after its socket is lost.
 */
export class Connection {
  readonly #options: ConnectOptions;
  readonly #address: Address;
  readonly #password: string | undefined;
  readonly #prepared: Set<string> | undefined;
  readonly #deadline: number;
  readonly #ended = new AbortController();
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #hooks: ConnectionHooks;
  /** The other encryption modes to try. */
  readonly #ways: Encryption[];
  #sql: postgres.Sql;
  #reached: { readonly by: Reached; readonly way: Encryption } | undefined;
  /** The statement that the server is running, with the session key once it is known. */
  #running: RunningStatement | undefined;
  /** Whether the server has accepted the login. */
  #entered = false;

  private constructor(
    options: ConnectOptions,
    address: Address,
    password: string | undefined,
    hooks: ConnectionHooks,
  ) {
    this.#options = options;
    this.#address = address;
    this.#password = password;
    this.#hooks = hooks;
    this.#deadline = deadlineOf(options);
    this.#prepared = options.prepare === false ? undefined : new Set();
    this.#ways = [...waysTo(address)];
    this.#sql = this.#client(this.#ways.shift()!);
  }

  /**
   * The password must be known first: the driver awaits a password function inside the handshake,
   * where a lost socket ends the process.
   */
  static async open(options: ConnectOptions, hooks: ConnectionHooks = {}): Promise<Connection> {
    const address = addressOf(options);
    return new Connection(options, address, await passwordOf(address), hooks);
  }

  /** The reason why nothing can be sent any more, if there is one. */
  get lost(): Error | undefined {
    return this.#ended.signal.reason;
  }

  /**
   * Sends one statement, or several if `script`. Stops waiting for the response at the deadline.
   */
  async send(
    text: string,
    parameters: readonly Parameter[] = [],
    { script = false }: { readonly script?: boolean } = {},
  ): Promise<Answer> {
    checkStatement(text, parameters);
    const giveUp = () =>
      this.destroy(new DatabaseError("CONNECTION_DEADLINE", "The server did not answer in time"));
    const timer = this.#deadline > 0 ? setTimeout(giveUp, this.#deadline) : undefined;
    try {
      const answer = await this.unlessLost(() => {
        const query = this.#sql.unsafe(text, [...parameters] as string[], {
          simple: script,
          prepare: !script && this.#prepares(text),
        } as postgres.UnsafeQueryOptions);
        this.#running = query as RunningStatement;
        return query;
      });
      this.#entered = true;
      return answer;
    } catch (thrown) {
      const error = databaseError(thrown);
      if (error instanceof DatabaseError && error.fatal && !this.#entered) {
        error.connecting = true;
        const way = error.code === "28000" ? this.#ways.shift() : undefined;
        if (way !== undefined) {
          this.#sql = this.#client(way);
          return await this.send(text, parameters, { script });
        }
      }
      if (!isAnswer(error)) this.destroy(error as Error);
      throw this.lost ?? error;
    } finally {
      clearTimeout(timer);
      this.#running = undefined;
    }
  }

  /**
   * Asks the server to cancel the running statement. Resolves when the server has the request or
   * cannot be reached.
   */
  async interrupt(): Promise<void> {
    const { pid, secret } = this.#running?.state ?? {};
    if (this.#reached === undefined || !pid || secret === undefined) return;
    const { by, way } = this.#reached;
    await requestCancel(this.#address, way, by, { pid, secret }).catch(() => {});
  }

  /**
   * Waits for `work`. Does not begin it on a lost connection, and rejects when the connection is
   * lost.
   */
  unlessLost<T>(work: () => PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.lost) return reject(this.lost);
      const settled = () => this.#waiting.delete(reject);
      this.#waiting.add(reject);
      work().then((value) => (settled(), resolve(value)), (error) => (settled(), reject(error)));
    });
  }

  /** Terminates the session, waiting for at most `patience` milliseconds. */
  async close(patience: number): Promise<void> {
    if (!this.lost) await this.#sql.end({ timeout: patience / 1000 }).catch(() => {});
    this.destroy(new DatabaseError("CONNECTION_ENDED", "The connection was closed"));
  }

  /** Destroys the socket. Pending requests reject with `error`. */
  destroy(error: Error): void {
    if (this.lost) return;
    // A busy session would not notice that its client has gone.
    if (!(error instanceof DatabaseError && error.fatal)) void this.interrupt();
    this.#ended.abort(error);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#hooks.onLost?.();
  }

  #client(way: Encryption): postgres.Sql {
    let opened = false;
    const client = driver(this.#options, this.#address, this.#password, {
      // A second socket would send the statements of a dead transaction to a new session.
      socket: async () => {
        if (opened) throw new DatabaseError("CONNECTION_CLOSED", "The connection was lost");
        opened = true;
        const { signal } = this.#ended;
        const reached = await openSocket(this.#address, way, signal);
        this.#reached = { by: reached, way };
        signal.addEventListener("abort", () => {
          if (isUnwritable(signal.reason)) avoid(this.#address, reached);
        });
        return reached.socket;
      },
      onnotify: (channel: string, payload: string) => this.#hooks.onNotify?.(payload, channel),
      onparameter: (name: string, value: string) => {
        // Reads from a standby may be stale, and it accepts no writes.
        if (name === "in_hot_standby" && value === "on") {
          this.destroy(new DatabaseError("25006", "The server is a standby"));
        }
      },
      onclose: () => {
        if (this.#sql !== client) return;
        this.destroy(new DatabaseError("CONNECTION_CLOSED", "The server closed the connection"));
      },
    });
    return client;
  }

  // The server keeps every prepared statement for the lifetime of the session.
  #prepares(text: string): boolean {
    if (!this.#prepared) return false;
    if (this.#prepared.size < mostPrepared) this.#prepared.add(text);
    return this.#prepared.has(text);
  }
}

/**
 * Rejects invalid options before anything connects, and applies what the address says about a
 * pooler.
 */
export function checkOptions(options: ConnectOptions): ConnectOptions {
  const { max = 10 } = options;
  if (!Number.isInteger(max) || max < 1) {
    throw new RangeError(`Cannot connect to the database: max must be 1 or more, got ${max}`);
  }
  settings(options);
  const { hosts, ssl, pooled } = addressOf(options);
  checkTls(hosts, ssl);
  return { ...options, prepare: options.prepare ?? !pooled };
}

async function passwordOf({ password, patience }: Address): Promise<string | undefined> {
  if (typeof password !== "function") return password;
  let timer;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () =>
      reject(new DatabaseError("CONNECT_TIMEOUT", "the password was not available in time"));
    timer = setTimeout(giveUp, patience);
  });
  try {
    return await Promise.race([password(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function deadlineOf({ statementTimeout = 30_000, deadline }: ConnectOptions): number {
  return Math.min(deadline ?? (statementTimeout > 0 ? statementTimeout + 5_000 : 0), longestTimer);
}

/**
 * Creates a driver client. It reads neither the URL nor the environment, and receives a socket that
 * is already secured.
 */
function driver(
  options: ConnectOptions,
  address: Address,
  password: string | undefined,
  own: object,
): postgres.Sql {
  const { prepare = true, applicationName = "hephaestus" } = options;
  const { hosts: [host], patience } = address;
  const all = {
    ...own,
    host: [host!.name],
    port: [host!.port],
    user: address.user,
    database: address.database,
    password,
    ssl: false,
    sslnegotiation: null,
    keep_alive: null,
    max: 1,
    prepare,
    debug: false,
    fetch_types: false,
    idle_timeout: null,
    max_lifetime: null,
    connect_timeout: patience / 1000,
    types: { text: asText },
    onnotice: () => {},
    target_session_attrs: "primary",
    connection: {
      application_name: address.applicationName ?? applicationName,
      ...(address.options ? { options: address.options } : {}),
      // PgBouncer supports few startup parameters, and may use another session for each
      // transaction.
      ...(prepare ? settings(options) : {}),
    },
  } as unknown as postgres.Options<Record<string, postgres.PostgresType>>;
  // The driver does not parse options that it has parsed before. Otherwise it would read
  // PGTARGETSESSIONATTRS and fail on "any".
  const { options: parsed } = postgres(all);
  return postgres(
    { ...parsed, serializers, target_session_attrs: undefined } as never,
  ) as unknown as postgres.Sql;
}
