import { describe, it as nodeIt } from "node:test";
import type { Sql } from "postgres";
import {
  Hephaestus,
  type HephaestusOptions,
  type Logger,
  type Worker,
  type WorkOptions,
} from "../mod.ts";
import type { StoredJob } from "../src/memory/clock.ts";
import { memory } from "../src/testing/mod.ts";
import { jobs as storedJobs } from "./contracts/postgres_world.ts";
import { reused, type ReusedDatabase } from "./reused.ts";

/** An engine with nothing in it, on one backend, inline or not. */
export interface World {
  readonly hephaestus: Hephaestus;
  readonly backend: "memory" | "postgres";
  readonly inline: boolean;
  /** The database; undefined in memory. */
  readonly sql: Sql | undefined;
  readonly url: string | undefined;
  /** The jobs that are there, in the order of their ids. */
  jobs(): Promise<readonly StoredJob[]>;
  /** Begins to work, and stops when the test ends. Default poll: 100 ms. */
  work(options?: WorkOptions): Promise<Worker>;
  /** Another engine on the same backend: another process as far as the database can tell. Closed when the test ends. */
  another(options?: Partial<HephaestusOptions>): Hephaestus;
}

/** A world whose backend is PostgreSQL. */
export interface PostgresWorld extends World {
  readonly sql: Sql;
  readonly url: string;
}

/** What an engine of a test is made of. */
export type Options = Omit<HephaestusOptions, "url" | "backend" | "connections">;

export type It<W = World> = (
  name: string,
  options: Options,
  test: (world: W) => Promise<void>,
) => void;

export const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A logger that keeps what it is told, as text. */
export function keeping(): Logger & { readonly said: string[] } {
  const said: string[] = [];
  const keep = (message: string, fields?: object) =>
    void said.push(`${message} ${JSON.stringify(fields ?? {})}`);
  return { said, debug: keep, info: keep, warn: keep, error: keep };
}

/**
 * Runs a suite in memory and on PostgreSQL, inline and not: four times; in Deno each of these once.
 */
export function everywhere(subject: string, suite: (it: It) => void): void {
  for (const backend of ["memory", "postgres"] as const) {
    for (const inline of waysOn(backend)) {
      describe(`${subject} (${backend}, ${inline ? "inline" : "through jobs"})`, () => {
        suite((name, options, test) => {
          nodeIt(name, async () => {
            await using world = await open(backend, { ...options, inline });
            await test(world);
          });
        });
      });
    }
  }
}

/** Whether steps are inline: both in Node; in Deno each of the two on one backend. */
export function waysOn(backend: World["backend"]): readonly boolean[] {
  return "Deno" in globalThis ? [backend === "postgres"] : [true, false];
}

const usualWays = waysOn("postgres").map((inline) => inline ? "inline" : "through jobs");

/** Runs a suite on PostgreSQL, inline and not, or in one way where the other costs much and shows no more. */
export function onPostgres(
  subject: string,
  suite: (it: It<PostgresWorld>) => void,
  ways: readonly ("inline" | "through jobs")[] = usualWays,
): void {
  for (const inline of ways.map((way) => way === "inline")) {
    describe(`${subject} (postgres, ${inline ? "inline" : "through jobs"})`, () => {
      suite((name, options, test) => {
        nodeIt(name, async () => {
          await using world = await open("postgres", { ...options, inline });
          await test(world as PostgresWorld);
        });
      });
    });
  }
}

async function open(
  backend: World["backend"],
  options: Options & { readonly inline: boolean },
): Promise<World & AsyncDisposable> {
  const database = backend === "postgres" ? await reused() : undefined;
  const inMemory = memory();
  const engines: Hephaestus[] = [];
  const another = (more: Partial<HephaestusOptions> = {}) => {
    const all = { logger: silent, ...options, ...more };
    const place = database ? placeFor(database, all) : { backend: inMemory };
    const engine = new Hephaestus({ ...all, ...place });
    engines.push(engine);
    return engine;
  };
  const hephaestus = another();
  return {
    hephaestus,
    backend,
    inline: options.inline,
    sql: database?.sql,
    url: database?.url,
    jobs: () => database ? storedJobs(database) : Promise.resolve(inMemory.jobs()),
    another,
    async work(options = {}) {
      const worker = hephaestus.work({ poll: "100ms", grace: "1s", ...options });
      await worker.ready;
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(engines.map((engine) => engine.close()));
      await database?.[Symbol.asyncDispose]();
    },
  };
}

/** The sessions of the database, or an engine's own if it has options for them. */
function placeFor(
  { connections, url }: ReusedDatabase,
  options: Options,
): Pick<HephaestusOptions, "connections" | "url"> {
  return sessionOptions.some((name) => name in options) ? { url } : { connections };
}

const sessionOptions = [
  "poolSize",
  "prepare",
  "notify",
  "statementTimeout",
  "idleTimeout",
] as const;

/** Asks again and again until the answer is true: for what no call waits for. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patience = 20_000,
): Promise<void> {
  const end = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${patience} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A promise that a test resolves: the step that awaits it goes on when the test says so. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => this.#open = resolve);
  }

  open(): void {
    this.#open();
  }
}
