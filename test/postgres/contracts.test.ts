import { after, describe } from "node:test";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { elapse, jobs, times } from "../contracts/postgres_world.ts";
import { queueContract } from "../contracts/queue.ts";
import { storeContract } from "../contracts/store.ts";
import type { World } from "../contracts/world.ts";
import { type Database, migrated } from "../pg.ts";

let shared: Promise<Database> | undefined;

/** A backend of its own on the database of all these tests, emptied. */
async function setup(): Promise<World> {
  const database = await (shared ??= migrated());
  for (const table of Object.keys(times)) {
    await database.sql.unsafe(`delete from hephaestus.${table}`);
  }
  const backend = postgresBackend({ url: database.url });
  return {
    backend,
    elapse: (milliseconds) => elapse(database, milliseconds),
    jobs: () => jobs(database),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

describe("contracts", () => {
  after(async () => (await shared)?.[Symbol.asyncDispose]());
  queueContract("PostgreSQL", setup);
  storeContract("PostgreSQL", setup);
});
