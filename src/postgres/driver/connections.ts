import { type Duration, milliseconds } from "../../core/value/duration.ts";
import { addressOf, type AddressOptions } from "./address/address.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions, Db } from "./contract.ts";
import { NotificationListener } from "./listener.ts";
import { clean, engineSettings, engineStatements, settings } from "./settings.ts";

/** How to reach PostgreSQL, and how many connections may be opened. */
export interface ConnectionsOptions extends AddressOptions {
  /**
   * Connections that may be open at the same time, of all kinds: for heartbeats, commits,
   * notifications, claims, calls and the transactions of steps. At least 5, or 4 with `notify:
   * false`. Default 15: six of them for the transactions of steps.
   */
  readonly poolSize?: number | undefined;
  /** After which time a connection that nobody uses is closed. Default `"1m"`. */
  readonly idleTimeout?: Duration | undefined;
  /**
   * Use prepared statements. Set false behind PgBouncer in transaction mode. Default true, or false
   * with `pgbouncer=true` in the URL.
   */
  readonly prepare?: boolean | undefined;
  /**
   * Listen for notifications. Set false behind PgBouncer in transaction mode: polling alone does it
   * then. Default as `prepare`'s.
   */
  readonly notify?: boolean | undefined;
  /**
   * How long one statement may take; the transaction of a step may take twice as long. Default
   * `"30s"`.
   */
  readonly statementTimeout?: Duration | undefined;
}

/** Connections that several engines share; made by {@linkcode connections}. */
export interface SharedConnections extends AsyncDisposable {
  /** How many may be open at the same time. */
  readonly poolSize: number;
}

/**
 * Connections by what they are for. Nobody who holds one waits for another one of the same kind.
 */
export interface Connections extends SharedConnections {
  /** One: a heartbeat must not wait behind work. */
  readonly pulse: Db;
  /** For commits: they never wait long for a lock that somebody else holds. */
  readonly lanes: Db;
  /** For claims and for what the engine reads in between: none of it waits for a lock. */
  readonly reads: Db;
  /** For everything that may wait for a lock, and for what callers ask. */
  readonly calls: Db;
  /** For the transactions of steps. */
  readonly steps: Db;
  readonly listener: NotificationListener | undefined;
  /** Begins the engine's part in the transaction of a step. */
  readonly engine: string;
}

/**
 * Makes connections that several engines share, for instance one engine for each schema of a
 * database. Each engine is closed by itself; dispose the connections after all of them.
 *
 * @throws {RangeError} When `poolSize` is too small.
 *
 * @example Two schemas, ten connections
 * ```ts ignore
 * await using shared = connections({ url: process.env.DATABASE_URL, poolSize: 10 });
 * await using orders = new Hephaestus({ connections: shared, schema: "orders", workflows: [order] });
 * await using mails = new Hephaestus({ connections: shared, schema: "mails", workflows: [mail] });
 * ```
 */
export function connections(options: ConnectionsOptions): SharedConnections {
  return openConnections(options);
}

/** Milliseconds that a caller waits for a free connection. */
const patience = 30_000;

/** Makes them; each is opened when it is needed. */
export function openConnections(options: ConnectionsOptions): Connections {
  const { pooled } = addressOf(options);
  const { notify = !pooled, prepare = !pooled } = options;
  const { poolSize = 15 } = options;
  const shares = sharesOf(poolSize, notify);
  const base = connectOptions(options, prepare);
  const pool = (kind: keyof Shares, name: string, more: Partial<ConnectOptions> = {}) =>
    connect({
      ...base,
      settings: engineSettings,
      max: shares[kind],
      patience,
      purpose: { name, poolSize },
      ...more,
    });
  const lanes = pool("lanes", "commits", {
    settings: { ...engineSettings, lock_timeout: "250ms" },
  });
  const pools = {
    pulse: pool("pulse", "heartbeats"),
    lanes,
    reads: shares.reads === 0 ? lanes : pool("reads", "claims"),
    calls: pool("calls", "calls"),
    steps: pool("steps", "transactions of steps", {
      settings: {},
      patience: 2 * patience,
      clean,
    }),
  };
  return {
    ...pools,
    poolSize,
    listener: notify ? new NotificationListener(base) : undefined,
    // Behind PgBouncer no session has settings of its own.
    engine: prepare
      ? engineStatements(engineSettings)
      : engineStatements(settings({ ...base, settings: engineSettings }), true),
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(pools).map((each) => each.close()));
    },
  };
}

function connectOptions(options: ConnectionsOptions, prepare: boolean): ConnectOptions {
  const { url, host, port, user, password, database, ssl } = options;
  const { statementTimeout = "30s", idleTimeout = "1m" } = options;
  return {
    ...{ url, host, port, user, password, database, ssl },
    prepare,
    applicationName: "hephaestus",
    statementTimeout: milliseconds(statementTimeout, "statementTimeout"),
    idle: milliseconds(idleTimeout, "idleTimeout"),
  };
}

/** How many connections there are for each purpose. */
export interface Shares {
  readonly pulse: number;
  readonly listener: number;
  readonly lanes: number;
  /**
   * None where there are few: claims and reads then take their turn on the lane, where nothing
   * waits long.
   */
  readonly reads: number;
  readonly calls: number;
  readonly steps: number;
}

const plenty = 10;

/**
 * Shares connections out: what the engine needs first, then a third of the rest to calls and the
 * others to steps.
 */
export function sharesOf(poolSize: number, notify: boolean): Shares {
  const listener = notify ? 1 : 0;
  const least = 4 + listener;
  if (!Number.isInteger(poolSize) || poolSize < least) {
    throw new RangeError(
      `Cannot use the option poolSize: it must be a whole number from ${least}, got ${poolSize}; ` +
        "heartbeats, commits, calls and the transactions of steps need a connection each" +
        (notify ? ", and so do notifications" : ""),
    );
  }
  const lanes = poolSize < plenty ? 1 : 2;
  const reads = poolSize === least ? 0 : lanes;
  const rest = poolSize - 1 - listener - lanes - reads;
  const calls = Math.ceil(rest / 3);
  return { pulse: 1, listener, lanes, reads, calls, steps: rest - calls };
}
