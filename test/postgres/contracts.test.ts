import { describe } from "node:test";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { elapse, jobs } from "../contracts/postgres_world.ts";
import { queueContract } from "../contracts/queue.ts";
import { storeContract } from "../contracts/store.ts";
import type { World } from "../contracts/world.ts";
import { reused } from "../reused.ts";

async function setup(): Promise<World> {
  const database = await reused();
  return {
    backend: postgresBackend({ connections: database.connections }),
    elapse: (milliseconds) => elapse(database, milliseconds),
    jobs: () => jobs(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

describe("contracts", () => {
  queueContract("PostgreSQL", setup);
  storeContract("PostgreSQL", setup);
});
