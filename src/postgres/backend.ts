import type { Storage } from "../backend/storage.ts";
import {
  type Connections,
  type ConnectionsOptions,
  openConnections,
  type SharedConnections,
} from "./driver/connections.ts";
import type { Tx } from "./driver/contract.ts";
import { describe, reporting } from "./driver/errors.ts";
import { postgresFromSql } from "./from_sql/from_sql.ts";
import { assertMigrated } from "./migrations/migrate.ts";
import { explained, lackingIn } from "./missing.ts";
import { readEnded, readQueues, wakePayload } from "./notifications.ts";
import { postgresQueue } from "./queue.ts";
import { channelOf } from "./sql/identifiers.ts";
import { tablesOf } from "./sql/tables.ts";
import { postgresStore } from "./store.ts";

/** Where the engine's tables are. */
export interface PostgresOptions extends ConnectionsOptions {
  /**
   * Connections that are shared with other engines, instead of an address. The caller must dispose
   * them.
   */
  readonly connections?: SharedConnections | undefined;
  /** The schema of the engine's tables. Default: `"hephaestus"`. */
  readonly schema?: string | undefined;
}

/** PostgreSQL as queue and store. */
export function postgresBackend(options: PostgresOptions): Storage {
  const { schema = "hephaestus" } = options;
  const t = tablesOf(schema);
  const channel = channelOf(schema);
  const endedChannel = channelOf(schema, "ended");
  const all = connectionsOf(options);
  const { steps, listener, engine } = all;
  const lacking = lackingIn(all.reads, t);
  const pulse = explained(all.pulse, lacking);
  const lanes = explained(all.lanes, lacking);
  const reads = explained(all.reads, lacking);
  const calls = explained(all.calls, lacking);
  const hear = (
    channel: string,
    received: (payload: string) => void,
    missed: () => void,
    trouble?: (error: unknown) => void,
  ) =>
    listener?.listen(channel, received, missed, (error) => trouble?.(describe(error))) ??
      { [Symbol.asyncDispose]: () => Promise.resolve() };
  const notify = async (on: Pick<Tx, "query">, queues: readonly string[]) => {
    if (queues.length > 0) {
      await on.query("select pg_notify($1, $2)", [channel, wakePayload(queues)]);
    }
  };
  const channels = { jobs: quoted(channel), ended: quoted(endedChannel) };
  return {
    name: "postgres",
    queue: postgresQueue({
      reads,
      calls,
      pulse,
      t,
      notify: notify,
      listen: (wake, trouble) =>
        hear(channel, (payload) => wake(readQueues(payload)), () => wake([]), trouble),
    }),
    store: postgresStore({
      reads,
      calls,
      steps,
      lanes,
      lacking,
      t,
      channels,
      engine,
      notify: notify,
      watch: (ended) =>
        hear(endedChannel, (payload) => {
          const { instances, by } = readEnded(payload);
          ended(instances, by);
        }, () => ended([])),
    }),
    fromSql: postgresFromSql(calls, t, channels),
    ready: () => reporting(() => assertMigrated(reads, { schema })),
    [Symbol.asyncDispose]: () =>
      options.connections ? Promise.resolve() : all[Symbol.asyncDispose](),
  };
}

function connectionsOf({ connections, ...own }: PostgresOptions): Connections {
  if (connections === undefined) return openConnections(own);
  for (const name of addressing) {
    if (own[name] === undefined) continue;
    throw new TypeError(
      `Cannot use the option ${name} together with connections. Pass it to connections() instead`,
    );
  }
  return connections as Connections;
}

const addressing = [
  "url",
  "host",
  "port",
  "user",
  "password",
  "database",
  "ssl",
  "poolSize",
  "idleTimeout",
  "prepare",
  "notify",
  "statementTimeout",
] as const satisfies readonly (keyof ConnectionsOptions)[];

/** Quotes a name as an SQL string literal. */
function quoted(name: string): string {
  return name.replaceAll("'", "''");
}
