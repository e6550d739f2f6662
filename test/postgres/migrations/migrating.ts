import { connect } from "../../../src/postgres/driver/connect.ts";
import type { Db } from "../../../src/postgres/driver/contract.ts";
import type { Migration } from "../../../src/postgres/migrations/migration.ts";
import { type Database, database } from "../../pg.ts";

export interface Fixture extends Database {
  readonly db: Db;
}

/** An empty database with the engine's own connection to it. */
export async function fresh(): Promise<Fixture> {
  const t = await database();
  const db = connect({ url: t.url, max: 2 });
  const dispose = async (): Promise<void> => {
    await db.close();
    await t[Symbol.asyncDispose]();
  };
  return { ...t, db, [Symbol.asyncDispose]: dispose };
}

export function made(version: number, up: string, down = "select 1"): Migration {
  return { version, name: `m${version}`, sha256: `hash of ${up}`, up, down };
}
