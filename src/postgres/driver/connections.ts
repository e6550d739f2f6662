import { type Duration, milliseconds } from "../../core/value/duration.ts";
import { addressOf, type AddressOptions } from "./address/address.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions, Db } from "./contract.ts";
import { NotificationListener } from "./listener.ts";
import { clean, engineSettings, engineStatements, settings } from "./settings.ts";

/** How to reach PostgreSQL, and how many connections may be opened. */
export interface ConnectionsOptions extends AddressOptions {
  /**
   * Maximum number of open connections for all purposes: heartbeats, commits, notifications,
   * claims, calls and step transactions. Minimum: 5, or 4 with `notify: false`. Default: 15, six of
   * which are for step transactions.
   */
  readonly poolSize?: number | undefined;
  /** Time after which an unused connection is closed. Default: `"1m"`. */
  readonly idleTimeout?: Duration | undefined;
  /**
   * Use prepared statements. Set false behind PgBouncer in transaction mode. Default: true, or
   * false with `pgbouncer=true` in the URL.
   */
  readonly prepare?: boolean | undefined;
  /**
   * Listen for notifications. Set false behind PgBouncer in transaction mode; the engine then only
   * polls. Default: same as `prepare`.
   */
  readonly notify?: boolean | undefined;
  /** Time limit of one statement. A step's transaction may take twice as long. Default: `"30s"`. */
  readonly statementTimeout?: Duration | undefined;
}

/** Connections that several engines share. Created by {@linkcode connections}. */
export interface SharedConnections extends AsyncDisposable {
  /** Maximum number of open connections. */
  readonly poolSize: number;
}

/**
 * Connections by purpose. A holder of a connection never waits for another one of the same kind.
 */
export interface Connections extends SharedConnections {
  /** One connection for heartbeats, which must not wait behind other work. */
  readonly pulse: Db;
  /** For commits, which never wait long for a lock. */
  readonly lanes: Db;
  /** For claims and the engine's own reads, which never wait for a lock. */
  readonly reads: Db;
  /** For everything that may wait for a lock, and for calls from users. */
  readonly calls: Db;
  /** For step transactions. */
  readonly steps: Db;
  readonly listener: NotificationListener | undefined;
  /** Statements that begin the engine's part of a step transaction. */
  readonly engine: string;
}

/**
 * Creates connections that several engines share, for example one engine for each schema of a
 * database. Close each engine separately, and dispose the connections after all of them.
 *
 * @throws {RangeError} When `poolSize` is too small.
 *
 * @example Two schemas, ten connections
 * ```ts ignore
 * await using shared = connections({ url: process.env.DATABASE_URL, poolSize: 10 });
 * const database = { connections: shared };
 * await using orders = new Hephaestus({ ...database, schema: "orders", workflows: [order] });
 * await using mails = new Hephaestus({ ...database, schema: "mails", workflows: [mail] });
 * ```
 */
export function connections(options: ConnectionsOptions): SharedConnections {
  return openConnections(options);
}

/** Milliseconds that a caller waits for a free connection. */
const patience = 30_000;

/** Creates the pools. Connections are opened on demand. */
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
    steps: pool("steps", "step transactions", {
      settings: {},
      patience: 2 * patience,
      clean,
    }),
  };
  return {
    ...pools,
    poolSize,
    listener: notify ? new NotificationListener(base) : undefined,
    // Behind PgBouncer, sessions have no settings of their own.
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

/** The number of connections for each purpose. */
export interface Shares {
  readonly pulse: number;
  readonly listener: number;
  readonly lanes: number;
  /**
   * 0 if there are few connections: claims and reads then use the lanes, where no statement waits
   * long.
   */
  readonly reads: number;
  readonly calls: number;
  readonly steps: number;
}

const plenty = 10;

/**
 * Divides the connections: first what the engine needs, then a third of the rest for calls and the
 * remainder for steps.
 */
export function sharesOf(poolSize: number, notify: boolean): Shares {
  const listener = notify ? 1 : 0;
  const least = 4 + listener;
  if (!Number.isInteger(poolSize) || poolSize < least) {
    throw new RangeError(
      `Cannot use the option poolSize: it must be a whole number of at least ${least}, got ${poolSize}. ` +
        "Heartbeats, commits, calls and step transactions need one connection each" +
        (notify ? ", and so do notifications" : ""),
    );
  }
  const lanes = poolSize < plenty ? 1 : 2;
  const reads = poolSize === least ? 0 : lanes;
  const rest = poolSize - 1 - listener - lanes - reads;
  const calls = Math.ceil(rest / 3);
  return { pulse: 1, listener, lanes, reads, calls, steps: rest - calls };
}
