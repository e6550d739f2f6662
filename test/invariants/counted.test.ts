import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import type { Sql } from "postgres";
import { migrated } from "../pg.ts";
import { allFree, watchSlots } from "../slots.ts";
import { type Way, ways, workflowOf } from "./counted.ts";

/** What the log was told, by level. */
interface Line {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: { readonly step?: string; readonly attempts?: number; readonly key?: string };
}

const wheres = ["outside", "inside"] as const;

interface Case {
  readonly name: string;
  readonly title: string;
  readonly way: Way;
  readonly where: typeof wheres[number];
}

const cases: readonly Case[] = Object.entries(ways).flatMap(([title, way], index) =>
  wheres.filter((where) => (way.only ?? where) === where).map((where) => ({
    name: `way${index}-${where}`,
    title: `${title}, ${where} of tx`,
    way,
    where,
  }))
);

for (const inline of [true, false]) {
  describe(`a run of the user's code (${inline ? "inline" : "through jobs"})`, () => {
    it("uses up a counted attempt, however it ends", async () => {
      await using database = await migrated();
      await using role = await ordinary(database.sql, database.url);
      const runs = new Map<string, number>();
      const ran = (name: string) => void runs.set(name, (runs.get(name) ?? 0) + 1);
      const lines: Line[] = [];
      const slots = watchSlots();
      await using hephaestus = new Hephaestus({
        url: role.url,
        poolSize: 20,
        inline,
        workflows: cases.map(({ name, way, where }) => workflowOf(name, way, where, ran)),
        logger: keeping(lines),
      });
      for (const { name, way: { refuses } } of cases) {
        if (refuses) await database.sql.unsafe(refuses.replaceAll(":name", name));
      }
      const worker = hephaestus.work({ poll: "50ms", queues: { default: 100 } });
      await worker.ready;

      const ends = await Promise.all(cases.map(async ({ name, title, way, where }) => {
        const flow = workflowOf(name, way, where, ran);
        const handle = await hephaestus.start(flow, "one", undefined);
        const { status } = await handle.result({ signal: AbortSignal.timeout(60_000) }).catch(
          async () => (await hephaestus.get(flow, "one"))!,
        );
        return [title, status];
      }));

      assertEquals(ends, cases.map(({ title, way }) => [title, way.ends]));
      for (const { name, title, way } of cases) {
        assert((runs.get(`${name} in tx`) ?? 0) <= 5 * way.runs, title);
      }
      assertEquals(
        cases.map(({ name, title }) => [title, runs.get(name)]),
        cases.map(({ title, way }) => [title, way.runs]),
      );
      assertEquals(
        cases.map((
          { name, title },
        ) => [title, said(lines, "debug", name), said(lines, "error", name)]),
        cases.map(({ title, way: { ends } }) => [title, ...ends === "failed" ? [1, 1] : [0, 0]]),
      );
      assert(lines.every(({ level, fields }) => level !== "error" || fields.key === "id::one"));
      await allFree(slots);
    });
  });
}

/** How often the log speaks of a failure of this step. */
function said(lines: readonly Line[], level: Line["level"], step: string): number {
  return lines.filter((line) =>
    line.level === level && line.fields.step === step && line.message.includes("failed")
  ).length;
}

function keeping(lines: Line[]) {
  const at = (level: Line["level"]) => (message: string, fields: Line["fields"] = {}) =>
    void lines.push({ level, message, fields });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A role that policies hold for, and tables that have something to refuse. */
async function ordinary(
  sql: Sql,
  url: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const role = `r_${randomUUID().replaceAll("-", "")}`;
  const tables = ["workflow_instances", "step_results", "jobs"].map((table) => `
    alter table hephaestus.${table} enable row level security;
    create policy everything on hephaestus.${table} using (true) with check (true);`);
  await sql.unsafe(`
    create role ${role} login password 'ordinary';
    grant usage on schema hephaestus to ${role};
    grant all on all tables in schema hephaestus to ${role};
    grant all on all sequences in schema hephaestus to ${role};
    create table parents (id int primary key);
    create table children (parent int references parents deferrable initially deferred);
    grant all on parents, children to ${role};
    create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'refused' using errcode = '22000'; end $$;
    ${tables.join("")}`);
  const as = new URL(url);
  as.username = role;
  as.password = "ordinary";
  return {
    url: as.href,
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    },
  };
}
