import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  done,
  Hephaestus,
  HephaestusError,
  SchemaVersionError,
  step,
  type,
  workflow,
} from "../../../mod.ts";
import {
  doctor,
  type DoctorOptions,
  migrate,
  type MigrateOptions,
  migrationSql,
  type MigrationStatus,
  migrationStatus,
} from "../../../src/postgres/mod.ts";
import { migrations } from "../../../src/postgres/migrations/migrations.gen.ts";
import { eventually, silent } from "../../everywhere.ts";
import { type Database, database, migrated } from "../../pg.ts";

const all = migrations.map(({ version, name }) => ({ version, name }));
const latest = migrations.length;
const nowhere = "postgres://me:s3cret@127.0.0.1:1/none";

const greet = step("greet", { events: { greeted: type() }, run: ({ emit }) => emit.greeted() });
const greeting = workflow("greeting", { key: "guest", input: type(), start: greet })
  .on(greet, { greeted: done })
  .build();

async function tables({ sql }: Database): Promise<readonly string[]> {
  const rows = await sql`select schemaname from pg_tables where tablename = 'jobs' order by 1`;
  return rows.map(({ schemaname }) => schemaname);
}

/** The address of a database in parts. */
function partsOf(
  address: string,
): Pick<MigrateOptions, "host" | "port" | "user" | "password" | "database"> {
  const { hostname, port, username, password, pathname } = new URL(address);
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}

describe("migrate()", () => {
  it("goes up and down and returns what it did", async () => {
    await using t = await database();
    const { url } = t;

    assertEquals(await migrate({ url }), { applied: all, reverted: [] });
    assertEquals(await migrate({ url }), { applied: [], reverted: [] });
    assertEquals(await migrate({ url, direction: "down" }), {
      applied: [],
      reverted: all.slice(-1),
    });
    assertEquals(await migrate({ url, direction: "down", to: 0 }), {
      applied: [],
      reverted: all.slice(0, -1).reverse(),
    });
    assertEquals(await tables(t), []);
  });

  it("changes nothing in a dry run", async () => {
    await using t = await database();

    assertEquals(await migrate({ url: t.url, dryRun: true, to: 1 }), {
      applied: all.slice(0, 1),
      reverted: [],
    });
    assertEquals(await tables(t), []);
  });

  it("works in the schema that it is told, by an address in parts", async () => {
    await using t = await database();

    await migrate({ ...partsOf(t.url), schema: `it's "mine"`, prepare: false });

    assertEquals(await tables(t), [`it's "mine"`]);
  });

  it("is done once by two that begin together", async () => {
    await using t = await database();

    const both = await Promise.all([migrate({ url: t.url }), migrate({ url: t.url })]);

    const applied = both.flatMap((each) => each.applied).sort((a, b) => a.version - b.version);
    assertEquals(applied, all);
  });

  it("leaves no connection open, whether it has migrated or failed", async () => {
    await using t = await database();
    await migrate({ url: t.url });
    await assertRejects(() => migrate({ url: t.url, to: latest + 1 }), RangeError);

    await eventually(async () => {
      const open = await t.sql`select from pg_stat_activity
        where datname = current_database() and application_name = 'hephaestus'`;
      return open.length === 0;
    }, "no session is left");
  });

  const mistakes: readonly (readonly [object, string])[] = [
    [{ dryrun: true }, 'Cannot migrate: there is no option "dryrun"'],
    [{ direction: "sideways" }, 'Cannot migrate: the option direction is "up" or "down"'],
    [{ schema: "pg_mine" }, 'Cannot use name "pg_mine" in the database: '],
    [{ url: "nonsense" }, "Cannot connect to the database: its URL must look like "],
  ];
  for (const [options, sentence] of mistakes) {
    it(`refuses ${JSON.stringify(options)} before it connects`, async () => {
      await assertRejects(() => migrate({ url: nowhere, ...options }), TypeError, sentence);
    });
  }

  it("refuses a version that there is not", async () => {
    await using t = await database();
    for (const to of [-1, 1.5, latest + 1]) {
      await assertRejects(
        () => migrate({ url: t.url, to }),
        RangeError,
        `Cannot migrate schema "hephaestus" to version ${to}: versions are 0 to ${latest}`,
      );
    }
  });

  it("says why with a code, and shows no password", async () => {
    await using t = await database();
    await t.sql`create table public.jobs (id int)`;
    await t.sql.unsafe(
      `create schema broken; create table broken.migrations (version int primary key,
      name text, sha256 text, applied_at timestamptz default now()); create table broken.jobs ()`,
    );
    const cases = [
      [{ url: nowhere }, "DATABASE_UNREACHABLE", /^Cannot reach the database at "127.0.0.1:1": /],
      [{ url: t.url, user: "nobody" }, "DATABASE_REFUSED", /^Cannot connect to the database/],
      [{ url: t.url, schema: "broken" }, "DATABASE_FAILED", /reported 42P07: .* already exists$/],
    ] as const;
    for (const [options, code, sentence] of cases) {
      const error = await assertRejects(() => migrate(options), HephaestusError);
      assertEquals(error.code, code);
      assertMatch(error.message, sentence);
      assert(!error.message.includes("s3cret"));
    }
  });
});

describe("migrationStatus()", () => {
  it("lists what is pending, and what was applied when", async () => {
    await using t = await database();
    const { url } = t;
    const pending = all.map((each): MigrationStatus => ({
      ...each,
      state: "pending",
      appliedAt: undefined,
    }));
    assertEquals(await migrationStatus({ url }), pending);
    assertEquals(await tables(t), []);

    await migrate({ url, to: 1 });

    const [first, ...others] = await migrationStatus({ url });
    assertEquals(first?.state, "applied");
    assert(first?.appliedAt instanceof Date);
    assertEquals(others, pending.slice(1));
  });

  it("tells what another package has applied", async () => {
    await using t = await migrated();
    await t.sql`update hephaestus.migrations set sha256 = 'another' where version = 1`;
    await t.sql`insert into hephaestus.migrations (version, name, sha256)
      values (${latest + 1}, 'later', 'of a newer package')`;

    const states = (await migrationStatus({ url: t.url })).map(({ state }) => state);

    assertEquals([states[0], states.at(-1)], ["changed", "unknown"]);
    await assertRejects(() => migrate({ url: t.url }), SchemaVersionError);
  });

  it("refuses the tables of another program", async () => {
    await using t = await database();
    await t.sql`create table public.migrations (id int)`;

    await assertRejects(
      () => migrationStatus({ url: t.url, schema: "public" }),
      SchemaVersionError,
      'its table "migrations" belongs to another program',
    );
  });
});

describe("migrationSql()", () => {
  it("is what migrate() does, up and down", async () => {
    await using t = await database();
    const run = async (script: string) => {
      const session = await t.sql.reserve();
      await session.unsafe(script).finally(() => session.release());
    };

    await run(migrationSql({ from: 0 }));
    assertEquals(await migrate({ url: t.url, dryRun: true }), { applied: [], reverted: [] });

    await run(migrationSql({ from: latest, direction: "down", to: 0 }));
    assertEquals(await tables(t), []);
  });

  it("reverts the last migration by default, and is empty where nothing is to be done", () => {
    assertMatch(migrationSql({ from: latest, direction: "down" }), new RegExp(`^-- ${latest} `));
    assertEquals(migrationSql({ from: latest }), "");
    assertEquals(migrationSql({ from: 0, direction: "down" }), "");
  });

  it("refuses a version that there is not", () => {
    for (const options of [{ from: -1 }, { from: 0, to: latest + 1 }, { from: 0.5 }]) {
      assertThrows(() => migrationSql(options), RangeError, `versions are 0 to ${latest}`);
    }
  });
});

describe("doctor()", () => {
  it("finds nothing wrong, and tells what nobody serves", async () => {
    await using t = await migrated();
    await using engine = new Hephaestus({ url: t.url, workflows: [greeting], logger: silent });
    await engine.start(greeting, "maria", undefined);

    const report = await doctor({ url: t.url });

    assertEquals([report.violations, report.counts], [[], {}]);
    assertEquals(report.unserved, [
      'No live process serves queue "default": 1 job is due, for example step "greet" of "greeting"',
    ]);
  });

  it("returns what is wrong with its ids, at most so many, and repairs it when told", async () => {
    await using t = await migrated();
    const { url } = t;
    await using engine = new Hephaestus({ url, workflows: [greeting], logger: silent });
    const { id } = await engine.start(greeting, "maria", undefined);
    await engine.start(greeting, "ana", undefined);
    await t.sql`update hephaestus.jobs set state = 'executing', process_id = 99, attempt = 1`;
    const [job] = await t.sql`select id::text from hephaestus.jobs where instance_id = ${id}`;

    const told = await doctor({ url, limit: 1 });
    assertEquals([told.violations.length, told.counts], [1, { unowned: 2 }]);
    assertEquals(told.violations.map(({ repairable, repaired }) => [repairable, repaired]), [
      [true, false],
    ]);

    const repaired = await doctor({ url, repair: true });
    assertEquals(repaired.violations.find(({ instance }) => instance === id), {
      rule: "unowned",
      sentence: `Job ${job?.id} is executing, but its process 99 does not exist`,
      subject: 'greeting "maria", step "greet"',
      instance: id,
      job: job?.id,
      process: "99",
      step: "greet",
      repairable: true,
      repaired: true,
    });
    assertEquals((await doctor({ url })).violations, []);
  });

  it("refuses tables that are not there, and options that cannot be", async () => {
    await using t = await database();
    await assertRejects(() => doctor({ url: t.url }), SchemaVersionError, "it has no tables yet");

    const mistakes: readonly (readonly [DoctorOptions, string])[] = [
      [{ limit: 0 }, "Cannot examine the database: limit 0 is not a whole number"],
      [{ queue: "" }, "Cannot examine the database: queue is not 1 to 200 printable characters"],
      [{ fix: true } as DoctorOptions, 'Cannot examine the database: there is no option "fix"'],
    ];
    for (const [options, sentence] of mistakes) {
      await assertRejects(() => doctor({ url: nowhere, ...options }), Error, sentence);
    }
  });
});
