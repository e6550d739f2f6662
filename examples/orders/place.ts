import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startServer } from "../../scripts/embedded_postgres.ts";

const directory = fileURLToPath(new URL("../../.data/orders", import.meta.url));

/** The database that holds the orders. */
export interface Place {
  readonly url: string;
  /** Its name in messages. */
  readonly name: string;
  /** Leaves it as it is, for the next run. */
  leave(): Promise<void>;
  /** Deletes it if the example created it. */
  remove(): Promise<void>;
}

/**
 * Opens the database of DATABASE_URL, or else a server that the example starts. A server left by a
 * killed run is reused.
 */
export async function openPlace(): Promise<Place> {
  const url = process.env.DATABASE_URL;
  if (url) return { url, name: "the database of DATABASE_URL", leave: nothing, remove: nothing };
  const server = await startServer({ directory: join(directory, "server") });
  const name = `PostgreSQL in "${server.directory}"${server.adopted ? ", left running" : ""}`;
  const remove = async () => {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: server.url, name, leave: () => server.stop(), remove };
}

async function nothing(): Promise<void> {}
