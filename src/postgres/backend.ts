import { type Duration, milliseconds } from "../core/duration.ts";
import type { Backend } from "../store/store.ts";
import { addressOf, type SslMode } from "./address/address.ts";
import { readEnded, wakePayload } from "./notices.ts";
import { connect, type ConnectOptions, type Db, type Tx } from "./db.ts";
import { channelOf } from "./identifiers.ts";
import { explained, lackingIn } from "./lacking.ts";
import { listen } from "./listener.ts";
import { describe, reporting } from "./connection_error.ts";
import { assertMigrated } from "./migrate.ts";
import { postgresQueue } from "./queue.ts";
import { postgresStore } from "./store.ts";
import { tablesOf } from "./tables.ts";

/** How to reach PostgreSQL. */
export interface PostgresOptions {
  /**
   * `postgres://user:password@host:port/database`, as libpq reads it: with several hosts, `?sslmode=` and the like. One of `url`,
   * `host` and the variable PGHOST is needed.
   */
  readonly url?: string | undefined;
  /** Host, or a folder that holds a Unix socket. */
  readonly host?: string | undefined;
  /** Port, 5432 unless told. */
  readonly port?: number | undefined;
  /** Who connects. */
  readonly user?: string | undefined;
  /** The password, or what fetches it for each new connection. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** Name of the database. */
  readonly database?: string | undefined;
  /** True for TLS with a certificate that is checked, false for none, a mode of libpq's sslmode, or options of `tls.connect`. */
  readonly ssl?: boolean | SslMode | object | undefined;
  /** The schema of the engine's tables. Default `"hephaestus"`. */
  readonly schema?: string | undefined;
  /** Connections: half of them for claims and calls, half for the transactions of steps. Default 10; up to five more are the engine's own. */
  readonly poolSize?: number | undefined;
  /** Use prepared statements. Set false behind PgBouncer in transaction mode. Default true, or false with `pgbouncer=true` in the URL. */
  readonly prepare?: boolean | undefined;
  /** Listen for notifications. Set false behind PgBouncer in transaction mode: polling alone does it then. Default as `prepare`'s. */
  readonly notify?: boolean | undefined;
  /** How long one statement may take. Default `"30s"`. */
  readonly statementTimeout?: Duration | undefined;
}

/** PostgreSQL as queue and store, on a private pool that opens its connections when they are needed. */
export function postgresBackend(options: PostgresOptions): Backend {
  const { schema = "hephaestus", poolSize = 10 } = options;
  const { pooled } = addressOf(options);
  const { notify = !pooled, prepare = !pooled } = options;
  const t = tablesOf(schema);
  const channel = channelOf(schema);
  const endedChannel = channelOf(schema, "ended");
  const hear = (
    channel: string,
    told: (payload: string) => void,
    missed: () => void,
    trouble?: (error: unknown) => void,
  ) =>
    notify
      ? listen(base, channel, told, missed, (error) => trouble?.(describe(error)))
      : { [Symbol.asyncDispose]: () => Promise.resolve() };
  const base = connection(options, prepare);
  const asking = connect({ ...base, max: Math.ceil(poolSize / 2) });
  const lacking = lackingIn(asking, t);
  const db = explained(asking, lacking);
  // While a step's transaction holds a connection, the engine reads on another one: it must not come from the same pool.
  const steps = connect({ ...base, max: Math.max(1, Math.floor(poolSize / 2)) });
  const pulse = explained(connect({ ...base, max: 1 }), lacking);
  const quick = { ...base.settings, lock_timeout: "250ms" };
  const lanes = explained(connect({ ...base, max: 2, settings: quick }), lacking);
  const tell = async (on: Pick<Tx, "query">, queues: readonly string[]) => {
    if (queues.length > 0) {
      await on.query("select pg_notify($1, $2)", [channel, wakePayload(queues)]);
    }
  };
  return {
    name: "postgres",
    queue: postgresQueue({
      db,
      pulse,
      t,
      notify: tell,
      listen: (wake, trouble) =>
        hear(
          channel,
          (queues) => wake(queues.split(",").map(decodeURIComponent)),
          () => wake([]),
          trouble,
        ),
    }),
    store: postgresStore({
      db,
      steps,
      lanes,
      lacking,
      t,
      channels: { jobs: quoted(channel), ended: quoted(endedChannel) },
      notify: tell,
      watch: (ended) =>
        hear(endedChannel, (payload) => {
          const { instances, by } = readEnded(payload);
          ended(instances, by);
        }, () => ended([])),
    }),
    ready: () => reporting(() => assertMigrated(db, { schema })),
    [Symbol.asyncDispose]: () => closeAll([db, steps, pulse, lanes]),
  };
}

async function closeAll(pools: readonly Db[]): Promise<void> {
  await Promise.all(pools.map((pool) => pool.close()));
}

/** The engine's statements keep the plans of a full table: one that was made for an empty one costs 480 µs a row later. */
export const settings = { enable_seqscan: "off", plan_cache_mode: "force_generic_plan" };

function connection(options: PostgresOptions, prepare: boolean): ConnectOptions {
  const { url, host, port, user, password, database, ssl, statementTimeout = "30s" } = options;
  const given = Object.entries({ url, host, port, user, password, database, ssl });
  return {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    prepare,
    settings,
    applicationName: "hephaestus",
    statementTimeout: milliseconds(statementTimeout, "statementTimeout"),
  };
}

/** A name as it stands between single quotes. */
function quoted(name: string): string {
  return name.replaceAll("'", "''");
}
