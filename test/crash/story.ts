import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { Hephaestus, type HephaestusOptions } from "../../mod.ts";
import { eventually, silent } from "../everywhere.ts";
import { workflows } from "./roads.ts";

/** What is there when a story begins and when another process takes over. */
export interface Stage {
  readonly url: string;
  readonly sql: Sql;
  /** The engine of another process than the one that is killed. */
  readonly hephaestus: Hephaestus;
  /** That process begins to work; a process that was killed counts as silent for too long. */
  work(): Promise<void>;
}

/** What one process begins and another one ends. */
export interface Story {
  readonly name: string;
  /** The statements that it is about, each of which must occur: it is killed before and after each of them. */
  readonly statements: readonly string[];
  /** Begins in a database without tables. */
  readonly empty?: boolean;
  /** What is there before. */
  readonly before?: (stage: Stage) => Promise<unknown>;
  /** What the process does that is killed somewhere in it. */
  readonly act: (url: string) => Promise<unknown>;
  /** What another process does after that: the same as its callers would do again. Then it is as if nothing had been. */
  readonly finish: (stage: Stage) => Promise<unknown>;
}

/** The engine of the process that is killed. */
export function engine(url: string, options: Partial<HephaestusOptions> = {}): Hephaestus {
  return new Hephaestus({ url, workflows, logger: silent, poolSize: 8, ...options });
}

/** What may be called again after nobody knows how it ended: a refusal because it is done already is no trouble. */
export async function again(call: Promise<unknown>, ...refusals: readonly string[]): Promise<void> {
  await call.catch((error) => {
    if (!refusals.includes((error as { code?: string }).code ?? "")) throw error;
  });
}

/** Waits for the instance of a key and checks that it has completed with one result of each of these steps. */
export async function completes(
  { hephaestus, sql }: Stage,
  workflow: Parameters<Hephaestus["get"]>[0],
  key: string,
  steps: readonly string[],
): Promise<void> {
  const handle = await hephaestus.handle(workflow, key);
  const end = await handle!.result();
  assertEquals([end.status, end.error], ["completed", undefined]);
  const history = await hephaestus.history(workflow, { id: end.id });
  // An asynchronous step has a row of its own that says that it waits.
  const results = history.filter(({ event, state }) =>
    event !== "__async__" && state === "applied"
  );
  assertEquals(results.map(({ step }) => step).sort(), [...steps].sort());
  const left = () => sql`select from hephaestus.jobs where instance_id = ${end.id}`;
  await eventually(async () => (await left()).length === 0, "no job is left");
}

/** Waits until something can be seen in the database, by a connection that is no part of the story. */
export async function seen(sql: Sql, query: string, what: string): Promise<void> {
  await eventually(async () => (await sql.unsafe(query)).length > 0, what);
}
