import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { type Server, startThrowaway } from "../scripts/embedded_postgres.ts";
import { findBinaries } from "../scripts/postgres_binaries.ts";
import { connect } from "../src/postgres/driver/connect.ts";
import { migrate } from "../src/postgres/migrations/migrate.ts";
import { Observer } from "./observer.ts";

/** The database of a run, with the engine's tables in a separate schema. */
export interface BenchDatabase extends AsyncDisposable {
  readonly url: string;
  readonly schema: string;
  readonly observer: Observer;
  /** Process id of the postmaster, if this run has started the server. */
  readonly postmaster: number | undefined;
  /** Describes the environment that the figures depend on. */
  readonly about: string;
}

const settings = { shared_buffers: "512MB", max_wal_size: "4GB" };

/**
 * Opens the database in DATABASE_URL, or starts a server with full durability. Drops the schema at
 * the end.
 */
export async function openDatabase(): Promise<BenchDatabase> {
  const server = process.env.DATABASE_URL ? undefined : await ownServer();
  const url = server?.url ?? process.env.DATABASE_URL!;
  const schema = `bench_${randomUUID().slice(0, 8)}`;
  const observer = new Observer(url);
  const dispose = async (): Promise<void> => {
    if (!server) await observer.query(`drop schema if exists ${schema} cascade`).catch(() => {});
    await observer.close();
    await server?.remove();
  };
  try {
    if (server) {
      await observer.query("create extension if not exists pg_stat_statements").catch(noStatements);
    }
    await observer.begin();
    const db = connect({ url, max: 1 });
    await migrate(db, { schema }).finally(() => db.close());
    return {
      url,
      schema,
      observer,
      postmaster: server && postmasterOf(server),
      about: `${server ? "embedded server" : "DATABASE_URL"}, ${await observer.describe()}`,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The extension is not installed on the server. */
function noStatements(): void {}

async function ownServer(): Promise<Server> {
  const { pgCtl } = await findBinaries();
  const library = join(dirname(pgCtl), "../lib/postgresql/pg_stat_statements");
  const preload = [".so", ".dylib", ".dll"].some((suffix) => existsSync(library + suffix));
  return await startThrowaway({
    durable: true,
    settings: {
      ...settings,
      ...(preload ? { shared_preload_libraries: "pg_stat_statements" } : {}),
    },
  });
}

function postmasterOf({ directory }: Server): number {
  return Number(readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n")[0]);
}
