// Databases that tests use one after the other: to begin its sessions costs more than most tests.
import { connections, type SharedConnections } from "../src/postgres/driver/connections.ts";
import { type Database, migrated } from "./pg.ts";

/** A migrated database without rows, and sessions that are kept from one test to the next. */
export interface ReusedDatabase extends Database {
  readonly connections: SharedConnections;
}

/** More sessions than a single engine of a test would have: several engines share them. */
const poolSize = 12;
/** After this time without a test, sessions end, and then nothing keeps the process alive. */
const idleSeconds = 1;

const free: ReusedDatabase[] = [];

/**
 * A database that no other test uses meanwhile. Disposing it empties it for the next test, or drops
 * it if the test has changed more than rows.
 */
export async function reused(): Promise<ReusedDatabase> {
  const place = free.pop() ?? await create();
  return { ...place, [Symbol.asyncDispose]: () => giveBack(place) };
}

async function create(): Promise<ReusedDatabase> {
  const database = await migrated(idleSeconds);
  await database.sql.unsafe(watchSchema);
  const shared = connections({ url: database.url, poolSize, idleTimeout: `${idleSeconds}s` });
  return {
    ...database,
    connections: shared,
    async [Symbol.asyncDispose]() {
      await shared[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function giveBack(place: ReusedDatabase): Promise<void> {
  const emptied = await place.sql.begin((tx) => tx.unsafe(empty)).then(() => true, () => false);
  if (emptied) free.push(place);
  else await place[Symbol.asyncDispose]();
}

/** Notes every change of the schema by a test. */
const watchSchema = `
  create schema watched;
  create table watched.changes (command text);
  create function watched.note() returns event_trigger language plpgsql security definer as $$
    begin
      insert into watched.changes values (tg_tag);
    end $$;
  create event trigger note on ddl_command_end execute function watched.note()`;

/** Fails if a test has changed the schema, or if a transaction of it is still open. */
const empty = `
  set local lock_timeout = '1s';
  set local session_replication_role = replica;
  do $$ begin
    if exists (select from watched.changes) then
      raise 'the schema is not what it was';
    end if;
  end $$;
  lock table hephaestus.workflow_instances, hephaestus.jobs in exclusive mode;
  delete from hephaestus.workflow_instances;
  delete from hephaestus.step_results;
  delete from hephaestus.jobs;
  delete from hephaestus.processes;
  delete from hephaestus.workflow_versions;
  delete from hephaestus.workflow_graphs`;
