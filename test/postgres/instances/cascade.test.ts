import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { done, Hephaestus, signal, type Sql, step, type, workflow } from "../../../mod.ts";
import { postgresBackend } from "../../../src/postgres/backend.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import type { Tx } from "../../../src/postgres/driver/contract.ts";
import { examine } from "../../../src/postgres/doctor/doctor.ts";
import { deliver, record, recordStatement } from "../../../src/postgres/instances/record.ts";
import { engineSettings } from "../../../src/postgres/driver/settings.ts";
import { tablesOf } from "../../../src/postgres/sql/tables.ts";
import { jobs } from "../../contracts/postgres_world.ts";
import { delivery, newId, recording, sceneIn } from "../../contracts/world.ts";
import { eventually, Gate, silent } from "../../everywhere.ts";
import { type Database, migrated } from "../../pg.ts";

const t = tablesOf("hephaestus");

/** How many results and jobs have no instance. */
async function orphans({ sql }: Database): Promise<number> {
  const rows = await sql`
    select instance_id from hephaestus.step_results union all select instance_id from hephaestus.jobs
    except select id from hephaestus.workflow_instances`;
  return rows.length;
}

/** An instance whose step runs, and the process that runs it. */
async function running(database: Database) {
  const backend = postgresBackend({ url: database.url, poolSize: 6, notify: false });
  const engine = connect({ url: database.url, max: 1, settings: engineSettings });
  const scene = await sceneIn({
    backend,
    elapse: () => Promise.resolve(),
    jobs: () => jobs(database),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  });
  const process = await scene.register();
  const id = await scene.open({}, {});
  const job = await scene.claimOne(process);
  const statement = recordStatement(t, "jobs");
  return {
    id,
    job,
    scene,
    engine,
    /** Each way in which a result comes in. Resolves with true when it stands. */
    writes: {
      "a result": async (tx: Pick<Tx, "query">) =>
        (await record(tx, statement, [recording(job, process)])).size === 1,
      "a delivery": async (tx: Pick<Tx, "query">) =>
        (await deliver(tx, t, "jobs", delivery(id, "approval"), true)).kind !== "missing",
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await backend[Symbol.asyncDispose]();
    },
  };
}

const waitsForLock = ({ sql }: Database, what: string) =>
  eventually(
    async () =>
      (await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query ~ ${what}`)
        .length > 0,
    `${what} waits`,
  );

const deletion = (sql: Pick<Database["sql"], "unsafe">) =>
  sql.unsafe("delete from hephaestus.workflow_instances");

describe("a plain delete of instances", () => {
  it("takes their results and jobs along, no others, and the doctor finds nothing", async () => {
    await using database = await migrated();
    const { sql, url } = database;
    const go = step("go", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
    const wait = signal("wait", { events: { given: type() }, expires: "1h" });
    const flow = workflow("flow", { key: "id", input: type(), start: go })
      .on(go, { ok: wait })
      .on(wait, { given: done, expired: done })
      .build();
    await using hephaestus = new Hephaestus({ url, workflows: [flow], logger: silent });
    await hephaestus.work({ poll: "50ms" }).ready;
    for (const key of ["a", "b", "c"]) await hephaestus.start(flow, key, undefined);
    const waits = async () => (await hephaestus.list(flow, { status: ["waiting"] })).items.length;
    await eventually(async () => await waits() === 3, "all wait");
    await hephaestus.cancel(flow, "a");

    await sql`delete from hephaestus.workflow_instances where finished_at is not null or key = 'id::b'`;

    assertEquals(await orphans(database), 0);
    assertEquals((await hephaestus.list(flow)).items.map(({ key }) => key), ["id::c"]);
    assertEquals((await hephaestus.history(flow, "c")).length, 1);
    const db = connect({ url, max: 1 });
    assertEquals((await examine(db, "hephaestus")).violations, []);
    await db.close();
    await hephaestus.resume(flow, "c", wait.emit.given());
    assertEquals((await (await hephaestus.handle(flow, "c"))?.result())?.status, "completed");
  });

  it("is refused where a snapshot could hide what others write", async () => {
    await using database = await migrated();
    const error = await assertRejects(
      () => database.sql.begin("isolation level repeatable read", (tx) => deletion(tx)),
    );
    assertEquals((error as { code?: string }).code, "0A000");
    assertEquals(
      (error as Error).message,
      "Cannot delete a workflow instance at isolation level repeatable read: results that others write at the same time would stay",
    );
  });
});

describe("a result without an instance", () => {
  it("cannot be inserted by anybody but the engine", async () => {
    await using database = await migrated();
    await using world = await running(database);
    const insert = (id: string) =>
      database
        .sql`insert into hephaestus.step_results (instance_id, workflow_version, step_ref, event)
        values (${id}, 1, 'mine', 'ok')`;
    const nobody = newId();

    await insert(world.id);
    const error = await assertRejects(() => insert(nobody));

    assertEquals((error as { code?: string }).code, "23503");
    assertEquals(
      (error as Error).message,
      `Cannot insert a result of step "mine": there is no instance "${nobody}"`,
    );
    const own = world.scene.store.transaction(({ sql }) =>
      (sql as Sql)`insert into hephaestus.step_results (instance_id, workflow_version, step_ref, event)
        values (${nobody}, 1, 'mine', 'ok')`
    );
    await assertRejects(() => own, Error, "23503");
    assertEquals(await orphans(database), 0);
  });
});

for (const name of ["a result", "a delivery"] as const) {
  describe(`${name} beside a delete of its instance`, () => {
    it("goes with the instance when it comes first", async () => {
      await using database = await migrated();
      await using world = await running(database);
      const gate = new Gate();
      const written = new Gate();
      const writing = world.engine.transaction(async (tx) => {
        assertEquals(await world.writes[name](tx), true);
        written.open();
        await gate.opened;
      });
      await Promise.race([written.opened, writing]);

      const deleting = deletion(database.sql).execute();
      await waitsForLock(database, "^delete");
      gate.open();
      await writing;
      await deleting;

      assertEquals(await orphans(database), 0);
      assertEquals(await world.scene.store.read([world.id]), []);
    });

    for (const end of ["commits", "is rolled back"] as const) {
      const stands = end === "is rolled back";
      it(`${stands ? "stands" : "does not stand"} when the delete comes first and ${end}`, async () => {
        await using database = await migrated();
        await using world = await running(database);
        let writing: Promise<boolean> | undefined;

        await database.sql.begin(async (tx) => {
          await deletion(tx);
          writing = world.writes[name](world.engine);
          await waitsForLock(database, "^\\s*with");
          if (stands) throw new Error("Taken back");
        }).catch(() => {});

        assertEquals(await writing, stands);
        assertEquals(await orphans(database), 0);
        assertEquals((await world.scene.store.history(world.id)).length, stands ? 1 : 0);
      });
    }
  });
}

describe("a delete beside a result whose advance waits already", () => {
  it("waits for the result, and the result not for the delete", async () => {
    await using database = await migrated();
    await using world = await running(database);
    await world.writes["a delivery"](world.engine);
    // First in the order of ids, so that a delete which goes by that alone would hold it.
    await database.sql`update hephaestus.jobs set id = 0 where kind = 'advance'`;
    let deleting: Promise<unknown> | undefined;

    await world.engine.transaction(async (tx) => {
      // The first that the statement of a result locks; the advance comes later.
      await tx.query(`select from ${t.jobs} where id = $1::text::bigint for update`, [
        world.job.id,
      ]);
      deleting = deletion(database.sql).execute();
      await waitsForLock(database, "^delete");
      assertEquals(await world.writes["a result"](tx), true);
    });
    await deleting;

    assertEquals(await orphans(database), 0);
  });
});
