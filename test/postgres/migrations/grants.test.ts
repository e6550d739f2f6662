import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import {
  done,
  Hephaestus,
  HephaestusError,
  SchemaVersionError,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../../mod.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { examine } from "../../../src/postgres/doctor/doctor.ts";
import { assertMigrated, migrate } from "../../../src/postgres/migrations/migrate.ts";
import { eventually, silent } from "../../everywhere.ts";
import { database, migrated } from "../../pg.ts";
import { withRoles } from "./roles.ts";

const ok = { events: { ok: type() } };
const first = step("first", {
  ...ok,
  retry: { base: "1ms" },
  run({ attempt, emit }) {
    if (attempt === 1) throw new Error("Once more");
    return emit.ok();
  },
});
const nap = timer("nap", "10ms");
const wait = signal("wait", { ...ok, expires: "1h" });
const last = step("last", {
  ...ok,
  retry: { attempts: 1 },
  run: ({ emit, tx }) =>
    tx(async (sql) => {
      await sql`select 1`;
      return emit.ok();
    }),
});
const order = workflow("order", { key: "id", input: type(), start: first })
  .on(first, { ok: nap })
  .on(nap, { elapsed: wait })
  .on(wait, { ok: last, expired: done })
  .on(last, { ok: done })
  .build();

const engineAs = (url: string) =>
  new Hephaestus({ url, workflows: [order], logger: silent, poolSize: 9 });

describe("roles with the grants that docs/operations.md has, and no others", () => {
  it("carry whole stories to their end, migrate, and are examined", async () => {
    await using t = await withRoles();
    await using working = engineAs(t.as("app"));
    await using calling = engineAs(t.as("web"));
    await working.work({ poll: "50ms", heartbeat: "100ms", keepJobs: "1ms" }).ready;

    const handle = await calling.start(order, "one", undefined);
    await calling.startMany(order, [{ key: "two", input: undefined }]);
    await calling.resume(order, "one", wait.emit.ok());
    await calling.scheduleResume(order, "two", wait.emit.ok(), { after: "1ms" });
    await calling.cancelJob(
      await calling.scheduleResume(order, "two", wait.emit.ok(), { after: "1h" }),
    );
    assertEquals((await handle.result()).status, "completed");
    const two = await calling.handle(order, "two");
    assertEquals((await two?.result())?.status, "completed");
    await calling.start(order, "three", undefined);
    await calling.cancel(order, "three");
    await calling.start(order, "three", undefined, { onConflict: "replace" });
    assertEquals((await calling.list(order)).items.length, 4);
    await calling.deleteInstance(order, "three", { force: true });
    assertEquals((await calling.list(order)).items.length, 3);
    assertEquals((await calling.history(order, "one")).length, 4);

    const sql = postgres(t.as("web"), { max: 1, onnotice: () => {} });
    await sql.begin((tx) => calling.start(order, "four", undefined, { tx }));
    await sql.end();
    const db = connect({ url: t.as("app"), max: 1 });
    assertEquals((await examine(db, "hephaestus")).violations, []);
    await db.close();
  });

  it("start and deliver from SQL without any right on the tables, and only who has the grant", async () => {
    await using t = await withRoles();
    await using working = engineAs(t.as("app"));
    await working.work({ poll: "50ms" }).ready;
    const shop = connect({ url: t.as("shop"), max: 1 });
    const web = connect({ url: t.as("web"), max: 1 });
    const start = "select hephaestus.start('order', 'one')";

    await shop.query(start);
    await shop.query("select hephaestus.deliver('order', 'one', 'wait', 'ok')");

    const handle = await working.handle(order, "one");
    assertEquals((await handle?.result())?.status, "completed");
    for (
      const refused of [
        shop.query("select from hephaestus.workflow_instances"),
        shop.query("select hephaestus.wake('default')"),
        web.query(start),
        web.query("select hephaestus.deliver('order', 'one', 'wait', 'ok')"),
      ]
    ) {
      assertStringIncludes(
        (await assertRejects(() => refused, Error)).message,
        "permission denied",
      );
    }
    await Promise.all([shop.close(), web.close()]);
  });

  it("may neither change what is migrated nor the tables", async () => {
    await using t = await withRoles();
    for (const role of ["app", "web"] as const) {
      const db = connect({ url: t.as(role), max: 1 });
      for (
        const change of [
          "delete from hephaestus.migrations",
          "alter table hephaestus.jobs add column x int",
          "create table hephaestus.x ()",
        ]
      ) await assertRejects(() => db.query(change));
      const error = await assertRejects(
        () => migrate(db, { schema: "hephaestus", direction: "down", to: 0 }),
        HephaestusError,
      );
      assertStringIncludes(error.message, 'Cannot migrate schema "hephaestus": must be owner of');
      await db.close();
    }
  });
});

describe("a role without rights", () => {
  it("is told its name, what it may not do and which grants it needs", async () => {
    await using t = await withRoles();
    await using calling = engineAs(t.as("web"));
    const web = t.name("web");
    const cases: readonly (readonly [string, string, string])[] = [
      [
        `revoke insert on hephaestus.workflow_instances from ${web}`,
        `grant insert on hephaestus.workflow_instances to ${web}`,
        "permission denied for table workflow_instances (42501)",
      ],
      [
        `revoke usage on all sequences in schema hephaestus from ${web}`,
        `grant usage on all sequences in schema hephaestus to ${web}`,
        "permission denied for sequence jobs_id_seq (42501)",
      ],
      [
        `revoke usage on schema hephaestus from ${web}`,
        `grant usage on schema hephaestus to ${web}`,
        "permission denied for schema hephaestus (42501)",
      ],
    ];
    let key = 0;
    const start = () => engineAs(t.as("web")).start(order, `${key++}`, undefined);
    for (const [revoke, grant, reason] of cases) {
      await t.sql.unsafe(revoke);
      const error = await assertRejects(start, HephaestusError);
      assertEquals(error.code, "DATABASE_FAILED");
      assertEquals(
        error.message,
        `Cannot run a statement: ${reason}. For schema "hephaestus" role "${web}" needs: usage on the schema, ` +
          "select, insert, update and delete on its tables, usage on its sequences. See docs/operations.md for the statements",
      );
      await t.sql.unsafe(grant);
    }
    await t.sql`alter table hephaestus.jobs enable row level security`;
    const secured = await assertRejects(start, HephaestusError);
    assertStringIncludes(secured.message, "Turn row-level security off for the tables in schema");
    await t.sql`alter table hephaestus.jobs disable row level security`;

    await t.sql.unsafe(`revoke insert on hephaestus.jobs from ${web}`);
    const sql = postgres(t.as("web"), { max: 1, onnotice: () => {} });
    const within = () => sql.begin((tx) => calling.start(order, "tx", undefined, { tx }));
    const error = await assertRejects(within, HephaestusError);
    assertStringIncludes(error.message, "permission denied for table jobs (42501)");
    await sql.end();
  });

  it("is not told of grants or migrations where a table of a step's own is meant", async () => {
    await using t = await withRoles();
    const reader = step("reader", {
      ...ok,
      retry: { attempts: 1 },
      run: ({ emit, tx }) =>
        tx(async (sql) => {
          await sql`select * from pg_authid`;
          return emit.ok();
        }),
    });
    const finder = step("finder", {
      ...ok,
      retry: { attempts: 1 },
      run: ({ emit, tx }) =>
        tx(async (sql) => {
          await sql`select * from nowhere`;
          return emit.ok();
        }),
    });
    const reads = workflow("reads", { key: "id", input: type(), start: reader })
      .on(reader, { ok: done })
      .build();
    const finds = workflow("finds", { key: "id", input: type(), start: finder })
      .on(finder, { ok: done })
      .build();
    const workflows = [reads, finds];
    await using engine = new Hephaestus({ url: t.as("app"), workflows, logger: silent });
    await engine.work({ poll: "50ms" }).ready;
    const errorOf = async (of: typeof workflows[number]) => {
      const end = await (await engine.start(of, "one", undefined)).result();
      assertEquals(end.status, "failed");
      return JSON.stringify(end.error);
    };
    const denied = await errorOf(reads);
    assert(!denied.includes("docs/operations.md"), denied);
    const missing = await errorOf(finds);
    assert(!missing.includes("hephaestus migrate"), missing);
  });
});

describe("a call without tables", () => {
  it("says what a worker says: which command to run", async () => {
    await using t = await database();
    await using hephaestus = engineAs(t.url);
    const db = connect({ url: t.url, max: 1 });
    const expected = await assertRejects(() => assertMigrated(db, { schema: "hephaestus" }));
    await db.close();
    const calls = [
      () => hephaestus.start(order, "one", undefined),
      () => hephaestus.startMany(order, [{ key: "two", input: undefined }]),
      () => hephaestus.get(order, "one"),
      () => hephaestus.list(order),
      () => hephaestus.cancel(order, "one"),
      () => hephaestus.resume(order, { id: crypto.randomUUID() }, wait.emit.ok()),
    ];
    for (const call of calls) {
      const error = await assertRejects(call as () => Promise<unknown>, SchemaVersionError);
      assertEquals(error.message, (expected as Error).message);
    }
  });

  it("says so of older tables too, and of one that somebody has dropped", async () => {
    await using t = await migrated();
    await using hephaestus = engineAs(t.url);
    const start = () => hephaestus.start(order, "one", undefined);
    await t.sql`alter table hephaestus.workflow_instances drop column tags`;
    const dropped = await assertRejects(start, HephaestusError);
    assertEquals(dropped.code, "DATABASE_FAILED");
    assertStringIncludes(dropped.message, 'although schema "hephaestus" is marked as migrated');

    await t.sql`delete from hephaestus.migrations`;
    await assertRejects(start, SchemaVersionError, 'Run "npx hephaestus migrate"');
  });

  it("works again without a new engine once the tables are there", async () => {
    await using t = await database();
    await using hephaestus = engineAs(t.url);
    await assertRejects(() => hephaestus.get(order, "one"), SchemaVersionError);
    const db = connect({ url: t.url, max: 1 });
    await migrate(db, { schema: "hephaestus" });
    await db.close();
    await eventually(
      () => hephaestus.get(order, "one").then((found) => found === undefined),
      "it is asked",
    );
  });
});
