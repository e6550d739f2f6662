import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { done, Hephaestus, type HephaestusOptions, step, type, workflow } from "../../../mod.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { migrate } from "../../../src/postgres/migrations/migrate.ts";
import { migrations } from "../../../src/postgres/migrations/migrations.gen.ts";
import { eventually, keeping } from "../../everywhere.ts";
import { type Database, database, migrated } from "../../pg.ts";
import { proxy } from "../../proxy.ts";

const act = step("act", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const simple = workflow("simple", { key: "id", input: type(), start: act })
  .on(act, { ok: done })
  .build();
const workflows = [simple];

const migrateTo = async (url: string, to?: number) => {
  const db = connect({ url, max: 1 });
  await migrate(db, { schema: "hephaestus", to }).finally(() => db.close());
};

/** What keeps a worker from beginning, and what it says then. */
interface Hindrance {
  readonly options: Partial<HephaestusOptions>;
  readonly sentence: string;
  /** What may be said besides: the tables of the first migration are there, those of the next not. */
  readonly meanwhile?: string;
  /** Takes the hindrance away. */
  mend(): unknown;
  /** Drops what the database does not take with it. */
  clean?(): unknown;
}

/** A role of its own that is hindered by `options`, until `mend` has run. */
async function role(
  there: Database,
  options: string,
  mend: string,
  sentence: string,
): Promise<Hindrance> {
  const name = `r_${randomUUID().replaceAll("-", "")}`;
  const all = "select, insert, update, delete on all tables in schema hephaestus";
  await there.sql.unsafe(`create role ${name} password 'right' login;
    grant usage on schema hephaestus to ${name};
    grant ${all} to ${name};
    grant usage on all sequences in schema hephaestus to ${name};
    ${options.replaceAll("NAME", name)}`);
  const url = new URL(there.url);
  url.username = name;
  url.password = "right";
  return {
    options: { url: url.href },
    sentence,
    mend: () => there.sql.unsafe(mend.replaceAll("NAME", name)),
    clean: () => there.sql.unsafe(`drop owned by ${name}; drop role ${name}`),
  };
}

const hindrances: { readonly [name: string]: (there: Database) => Hindrance | Promise<Hindrance> } =
  {
    "is not there yet"(there) {
      const url = new URL(there.url);
      const name = `${url.pathname.slice(1)}_later`;
      url.pathname = `/${name}`;
      return {
        options: { url: url.href },
        sentence: `database "${name}" does not exist`,
        async mend() {
          const draft = await migrated();
          await draft.sql.end();
          const from = new URL(draft.url).pathname.slice(1);
          await there.sql.unsafe(`alter database ${from} rename to ${name}`);
          await draft[Symbol.asyncDispose]();
        },
        clean: () => there.sql.unsafe(`drop database ${name} with (force)`),
      };
    },
    async "has no tables yet"() {
      const empty = await database();
      return {
        options: { url: empty.url },
        sentence: "it has no tables yet. Run",
        meanwhile: `this package needs ${migrations.length}`,
        mend: () => migrateTo(empty.url),
        clean: () => empty[Symbol.asyncDispose](),
      };
    },
    async "has tables that are older than the code"() {
      const older = await database();
      await migrateTo(older.url, migrations.length - 1);
      return {
        options: { url: older.url },
        sentence: `this package needs ${migrations.length}`,
        mend: () => migrateTo(older.url),
        clean: () => older[Symbol.asyncDispose](),
      };
    },
    "refuses the password": (there) =>
      role(
        there,
        "alter role NAME password 'other'",
        "alter role NAME password 'right'",
        "password authentication failed for user",
      ),
    "knows a role that may not log in": (there) =>
      role(there, "alter role NAME nologin", "alter role NAME login", "is not permitted to log in"),
    "has no connection left for the role": (there) =>
      role(
        there,
        "alter role NAME connection limit 0",
        "alter role NAME connection limit -1",
        "connection",
      ),
    "gives the role no right to enter": (there) =>
      role(
        there,
        "revoke insert on hephaestus.processes from NAME",
        "grant insert on hephaestus.processes to NAME",
        "42501",
      ),
    "gets its password from a function that fails"(there) {
      const url = new URL(there.url);
      const right = decodeURIComponent(url.password);
      let fails = true;
      return {
        options: {
          host: url.hostname,
          port: Number(url.port),
          user: decodeURIComponent(url.username),
          database: url.pathname.slice(1),
          password: () => {
            if (fails) throw new Error("the vault is sealed");
            return right;
          },
        },
        sentence: "the vault is sealed",
        mend: () => fails = false,
      };
    },
    async "is behind a host that hangs up"(there) {
      const road = await proxy(there.url);
      road.refuse(true);
      return {
        options: { url: road.url },
        sentence: "Cannot reach the database",
        mend: () => road.refuse(false),
        clean: () => road[Symbol.asyncDispose](),
      };
    },
  };

describe("a worker that nobody waits for, whose database", () => {
  for (const [name, hinder] of Object.entries(hindrances)) {
    it(`${name}: says so once, goes on trying, says once that it begins, and works`, async () => {
      await using there = await migrated();
      const { options, sentence, meanwhile, mend, clean } = await hinder(there);
      const logger = keeping();
      try {
        await using hephaestus = new Hephaestus({ ...options, workflows, logger });
        let begun = false;
        const worker = hephaestus.work({ poll: "50ms" });
        void worker.ready.then(() => begun = true);
        await eventually(
          () => logger.said.some((line) => line.startsWith("Cannot start the worker")),
          "it says that it cannot",
        );
        assertStringIncludes(logger.said.join("\n"), sentence);
        assertEquals(begun, false);

        await mend();
        await worker.ready;
        const handle = await hephaestus.start(simple, "one", undefined);

        assertEquals((await handle.result()).status, "completed");
        assertEquals(
          logger.said.filter((line) => !meanwhile || !line.includes(meanwhile)).map((line) =>
            line.replace(/(, retrying: |\. The worker).*/, "")
          ),
          ["Cannot start the worker", "The database is available"],
        );
      } finally {
        await clean?.();
      }
    });
  }
});
