import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startServer } from "../../scripts/embedded_postgres.ts";

const directory = fileURLToPath(new URL("../../.data/orders", import.meta.url));

/** The database that the orders live in. */
export interface Place {
  readonly url: string;
  /** What a person is told about it. */
  readonly name: string;
  /** Leaves it as it is, for the next run. */
  leave(): Promise<void>;
  /** Deletes it, where it is the example's own. */
  remove(): Promise<void>;
}

/** The database of DATABASE_URL, or else a server of the example's own: one that a killed run has left is taken over. */
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
