import { leaseOf, recorded, sceneIn, turn } from "../../contracts/world.ts";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { postgresBackend } from "../../../src/postgres/backend.ts";
import { elapse, jobs } from "../../contracts/postgres_world.ts";
import type { Written } from "../../../src/backend/store.ts";
import { chained, running, verdicts } from "../../contracts/store_reuses.ts";
import { eventually } from "../../everywhere.ts";
import { migrated } from "../../pg.ts";

const failure = { name: "Error", message: "out of tape" };

async function world() {
  const database = await migrated();
  const backend = postgresBackend({ url: database.url, poolSize: 9 });
  const scene = await sceneIn({
    backend,
    elapse: (milliseconds) => elapse(database, milliseconds),
    jobs: () => jobs(database),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  return {
    scene,
    backend,
    sql: database.sql,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Waits until a session waits for a lock. */
async function blocked(sql: Sql, what: string): Promise<void> {
  await eventually(async () => {
    const waiting = await sql`
      select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`;
    return waiting.length > 0;
  }, what);
}

describe("a job in the row of the one that has ended", () => {
  it("has in every column what an inserted one has, but for those by which the row is found", async () => {
    await using here = await world();
    const { scene, sql } = here;
    const process = await scene.register();
    const part = { tags: ["eu"], metadata: '{"by":"maria"}' };
    const ids = [await scene.open(part, { args: "[0]" }), await scene.open(part, { args: "[0]" })];
    for (const job of await scene.claim(process)) {
      await scene.queue.retry(leaseOf(job, process), [failure], 0);
    }
    await scene.queue.stage(10);
    await scene.elapse(5_000);
    const claimed = await scene.claim(process);
    const [first, second] = ids.map((id) => claimed.find(({ instance }) => instance === id)!);
    const next = { step: "ship", maxAttempts: 3, owned: true, args: "[1]" };

    await scene.store.commit(process, [
      turn(ids[0]!, {
        metadata: '{"by":"otto"}',
        recorded: [recorded("pack")],
        reused: scene.job({ ...next, instance: ids[0]!, id: first!.id }),
      }),
      turn(ids[1]!, {
        metadata: '{"by":"otto"}',
        recorded: [recorded("pack")],
        settled: [second!.id],
        started: [scene.job({ ...next, instance: ids[1]! })],
      }),
    ]);

    const rows = await sql`
      select to_jsonb(j) - array['id', 'instance_id', 'scheduled_at', 'token'] as job
      from hephaestus.jobs j
      order by j.instance_id`;
    assertEquals(rows.length, 2);
    assertEquals(rows[0]!.job, rows[1]!.job);
    assertEquals(rows[0]!.job.metadata, { by: "otto" });
  });

  it("stays on its page and in no index, from the first step on", async () => {
    await using here = await world();
    const { scene, sql, backend } = here;
    const process = await scene.register();
    const opened = Array.from({ length: 400 }, () => {
      const { id, ...instance } = scene.instance();
      return { ...instance, id, started: [scene.job({ instance: id, owned: true })] };
    });
    await scene.store.open(process, opened);

    for (let revision = 1; revision <= 5; revision++) {
      const written = await scene.store.commit(
        process,
        opened.map(({ id, started }) =>
          turn(id, {
            revision,
            recorded: [recorded(`step${revision}`)],
            reused: scene.job({ ...started[0], step: `step${revision + 1}`, owned: true }),
          })
        ),
      );
      assertEquals(written.size, opened.length);
    }

    // A session counts for others once it has ended.
    await backend[Symbol.asyncDispose]();
    let hot = 0;
    await eventually(async () => {
      const [row] = await sql`
        select n_tup_upd::int as updates, n_tup_hot_upd::int as hot
        from pg_stat_user_tables
        where relid = 'hephaestus.jobs'::regclass`;
      hot = row?.hot;
      return row?.updates === 2_000;
    }, "all updates are counted");
    // While another session holds an older snapshot a page cannot be cleaned for its next update: a
    // whole round of 400 goes elsewhere then. Without that it was 1,985, and without reuse it is 0.
    assert(hot >= 1_200, `${hot} of 2,000 updates were HOT`);
  });

  it("is out of reach of what waited for the turn", async () => {
    for (const [name, settle] of verdicts) {
      await using here = await world();
      const { scene, sql } = here;
      const { process, id, job } = await running(scene);
      let late: Promise<unknown> = Promise.resolve();

      await scene.store.transaction(async (tx) => {
        await tx.commit(process, [chained(scene, id, job)]);
        late = settle(scene, job, process);
        await blocked(sql, `${name} waits`);
      });
      await late;

      assertEquals(await scene.standing(id), ["execute ship executing"], name);
      const owned = [{ process, id: job.id, token: job.token + 1 }];
      assertEquals(await scene.queue.heartbeat(process, 30_000), { owned }, name);
      assertEquals((await scene.known(id)).status, "running", name);
    }
  });

  it("waits for the claim of the row, and raises its token", async () => {
    await using here = await world();
    const { scene, sql } = here;
    const { process, id, job } = await running(scene);
    const other = await scene.register();
    await scene.queue.release([leaseOf(job, process)]);
    let written: Promise<Written> = Promise.resolve(new Map());

    await sql.begin(async (tx) => {
      await tx`
        update hephaestus.jobs
        set state = 'executing', process_id = ${other}, attempt = attempt + 1, token = token + 1
        where id = ${job.id}`;
      written = scene.store.transaction((own) => own.commit(process, [chained(scene, id, job)]));
      await blocked(sql, "the turn waits");
    });

    assertEquals([...(await written).keys()], [id]);
    const owned = [{ process, id: job.id, token: job.token + 2 }];
    assertEquals(await scene.queue.heartbeat(process, 30_000), { owned });
    assertEquals(await scene.standing(id), ["execute ship executing"]);
  });
});
