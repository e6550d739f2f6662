import { describe, it as nodeIt } from "node:test";
import type { Sql } from "postgres";
import { Hephaestus, type HephaestusOptions, type Worker, type WorkOptions } from "../../mod.ts";
import { memoryBackend } from "../../src/memory/backend.ts";
import type { Clock } from "../../src/memory/clock.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { elapse, jobs } from "../contracts/postgres_world.ts";
import { type Scene, sceneIn, type World } from "../contracts/world.ts";
import { silent, waysOn } from "../everywhere.ts";
import { reused } from "../reused.ts";

/** An engine, and beside it the backend as another process would use it, down to single statements. */
export interface Bench {
  readonly hephaestus: Hephaestus;
  readonly backend: Storage;
  readonly scene: Scene;
  readonly inline: boolean;
  /** The database; undefined in memory. */
  readonly sql: Sql | undefined;
  /** Begins to work, and stops when the test ends. Defaults: a poll of 50 ms, a heartbeat of 100 ms. */
  work(options?: WorkOptions): Promise<Worker>;
  /** Another engine: another process as far as the database can tell. */
  another(options?: Partial<HephaestusOptions>): Hephaestus;
}

/** The same on PostgreSQL, where the database is there for sure. */
export type PostgresBench = Bench & { readonly sql: Sql; readonly url: string };

type Options = Omit<HephaestusOptions, "url" | "backend" | "connections">;
type It<B> = (name: string, options: Options, test: (bench: B) => Promise<void>) => void;

/**
 * Runs a suite in memory and on PostgreSQL, inline and through jobs, with the backend in hand; in
 * Deno each of these once.
 */
export function onBackends(subject: string, suite: (it: It<Bench>) => void): void {
  for (const where of ["memory", "postgres"] as const) {
    for (const inline of waysOn(where)) {
      describe(`${subject} (${where}, ${inline ? "inline" : "through jobs"})`, () => {
        suite((name, options, test) => {
          nodeIt(name, async () => {
            const all = { ...options, inline };
            await using bench = await (where === "memory" ? inMemory(all) : inPostgres(all));
            await test(bench);
          });
        });
      });
    }
  }
}

/** Runs a suite on PostgreSQL, inline and through jobs (in Deno inline only), with the backend in hand. */
export function onPostgresBackend(
  subject: string,
  suite: (it: It<PostgresBench>) => void,
): void {
  for (const inline of waysOn("postgres")) {
    describe(`${subject} (postgres, ${inline ? "inline" : "through jobs"})`, () => {
      suite((name, options, test) => {
        nodeIt(name, async () => {
          await using bench = await inPostgres({ ...options, inline });
          await test(bench);
        });
      });
    });
  }
}

type Disposed<B> = B & AsyncDisposable;

async function inMemory(options: Options & { readonly inline: boolean }): Promise<Disposed<Bench>> {
  const clock = movable();
  const backend = memoryBackend({ clock });
  const world = {
    backend,
    elapse: (milliseconds: number) => Promise.resolve(clock.move(milliseconds)),
    jobs: () => Promise.resolve(backend.jobs()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const engines = enginesOn(() => ({ backend }), options);
  return {
    ...engines,
    backend,
    scene: await sceneIn(world),
    inline: options.inline,
    sql: undefined,
    [Symbol.asyncDispose]: () => engines.close(),
  };
}

async function inPostgres(
  options: Options & { readonly inline: boolean },
): Promise<Disposed<PostgresBench>> {
  const database = await reused();
  const { url, sql, connections } = database;
  const backend = postgresBackend({ connections });
  const world: World = {
    backend,
    elapse: (milliseconds) => elapse(database, milliseconds),
    jobs: () => jobs(database),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const engines = enginesOn(() => ({ connections }), options);
  return {
    ...engines,
    backend,
    scene: await sceneIn(world),
    inline: options.inline,
    sql,
    url,
    async [Symbol.asyncDispose]() {
      await engines.close();
      await backend[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

function enginesOn(
  place: () => Pick<HephaestusOptions, "connections" | "backend">,
  options: Options,
) {
  const engines: Hephaestus[] = [];
  const another = (more: Partial<HephaestusOptions> = {}) => {
    const engine = new Hephaestus({
      logger: silent,
      ...options,
      ...place(),
      ...more,
    });
    engines.push(engine);
    return engine;
  };
  const hephaestus = another();
  return {
    hephaestus,
    another,
    async work(options: WorkOptions = {}) {
      const worker = hephaestus.work({ poll: "50ms", heartbeat: "100ms", grace: "1s", ...options });
      await worker.ready;
      return worker;
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
}

/** The system's clock, which a test may set forward. */
function movable(): Clock & { move(milliseconds: number): void } {
  let ahead = 0;
  const listeners = new Set<() => void>();
  return {
    now: () => Date.now() + ahead,
    onMove(moved) {
      listeners.add(moved);
      return () => listeners.delete(moved);
    },
    move(milliseconds) {
      ahead += milliseconds;
      for (const moved of [...listeners]) moved();
    },
  };
}
