import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { done, Hephaestus, join, type Logger, step, timer, type, workflow } from "../../mod.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import type { Migration } from "../../src/postgres/migrations/migration.ts";
import { migrations as shipped } from "../../src/postgres/migrations/migrations.gen.ts";
import type { Queue } from "../../src/backend/queue.ts";
import { eventually, silent } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { migrated } from "../pg.ts";
import { proxy } from "../proxy.ts";

const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const [left, right, last] = [one.as("left"), one.as("right"), one.as("last")];
const nap = timer("nap", "5ms");
const order = workflow("order", { key: "id", input: type(), start: one })
  .on(one, { ok: [left, right] })
  .on(left, { ok: join(nap) })
  .on(right, { ok: join(nap) })
  .on(nap, { elapsed: last })
  .on(last, { ok: done })
  .build();
const other = workflow("other", { key: "id", input: type(), start: one }).on(one, { ok: done })
  .build();

/** A logger that keeps its warnings and errors. */
function keeping(): Logger & { readonly said: string[] } {
  const said: string[] = [];
  const keep = (message: string) => void said.push(message);
  return { said, debug() {}, info() {}, warn: keep, error: keep };
}

/** The same queue, which counts what it is asked. */
function counted(queue: Queue): { readonly queue: Queue; readonly asked: Map<string, number> } {
  const asked = new Map<string, number>();
  return {
    asked,
    queue: new Proxy(queue, {
      get(of, name: keyof Queue & string) {
        asked.set(name, (asked.get(name) ?? 0) + 1);
        return of[name];
      },
    }),
  };
}

describe("a worker that has no code for what is due", () => {
  it("leaves it, asks no more often than its poll, and says so once", async () => {
    await using there = await migrated();
    const logger = keeping();
    const backend = postgresBackend({ url: there.url, poolSize: 7 });
    const { queue, asked } = counted(backend.queue);
    await using starter = new Hephaestus({ url: there.url, workflows: [order], logger: silent });
    await starter.startMany(
      order,
      Array.from({ length: 200 }, (_, n) => ({ key: `n${n}`, input: undefined })),
    );
    await using hephaestus = new Hephaestus({
      backend: { ...backend, queue } as never,
      workflows: [other],
      logger,
    });

    const began = performance.now();
    const worker = hephaestus.work({ poll: "200ms", heartbeat: "100ms", lease: "1s" });
    await worker.ready;
    await eventually(() => (asked.get("unserved") ?? 0) >= 5, "it has looked five times");
    const rounds = (performance.now() - began) / (200 * 0.75);

    assertEquals(logger.said.map((line) => line.split(/, and|: /)[0]), [
      'No live process has the code of workflow "order" version 1',
    ]);
    for (const name of ["claim", "nextDue", "stage"]) {
      const times = asked.get(name) ?? 0;
      assert(times <= rounds + 5, `${name} was asked ${times} times in ${rounds} rounds`);
    }
    const jobs = await there.sql`select distinct state, attempt from hephaestus.jobs`;
    assertEquals([...jobs], [{ state: "available", attempt: 0 }]);
  });
});

describe("a worker that waits for its database", () => {
  it("says so once, and once that it is there", async () => {
    await using there = await migrated();
    await using road = await proxy(there.url);
    road.refuse(true);
    const said: string[] = [];
    let tries = 0;
    const backend = postgresBackend({ url: road.url, poolSize: 6 });
    const keep = (message: string) => void said.push(message);
    await using hephaestus = new Hephaestus({
      backend: {
        ...backend,
        ready: () => (tries++, backend.ready()),
      } as never,
      workflows: [other],
      logger: { debug() {}, info: keep, warn: keep, error: keep },
    });
    const worker = hephaestus.work({ poll: "50ms" });
    await eventually(() => tries >= 3, "it has tried three times");

    road.refuse(false);
    await worker.ready;

    assertEquals(said.map((line) => line.replace(/retrying: .*/, "retrying")), [
      "Cannot start the worker, retrying",
      "The database is available. The worker has started",
    ]);
  });
});

/** What a later release may bring: it locks every table that a commit writes, in another order. */
const future: Migration = {
  version: shipped.length + 1,
  name: "future",
  sha256: "f".repeat(64),
  up: `alter table :schema.jobs add column later int not null default 0;
    create index jobs_later on :schema.jobs (later);
    alter table :schema.step_results add column later text;
    alter table :schema.workflow_instances add column later text;
    alter table :schema.processes add column later text;`,
  down: `alter table :schema.processes drop column later;
    alter table :schema.workflow_instances drop column later;
    alter table :schema.step_results drop column later;
    alter table :schema.jobs drop column later;`,
};

describe("a migration while workers run", () => {
  for (const inline of [true, false]) {
    it(`is done by one of two, and no work is lost (inline: ${inline})`, async () => {
      await using there = await migrated();
      const logger = keeping();
      const engine = () =>
        new Hephaestus({ url: there.url, workflows: [order], inline, logger, poolSize: 9 });
      await using first = engine();
      await using second = engine();
      const work = { poll: "50ms", queues: { default: 10 } } as const;
      await Promise.all([first.work(work).ready, second.work(work).ready]);
      const db = connect({ url: there.url, max: 2 });
      const migrations = [...shipped, future];
      const options = { schema: "hephaestus", migrations };
      const handles = [];
      for (let round = 0; round < 4; round++) {
        const items = Array.from(
          { length: 60 },
          (_, n) => ({ key: `${round}-${n}`, input: undefined }),
        );
        handles.push(...await first.startMany(order, items));
        await Promise.all([migrate(db, options), migrate(db, options)]);
        for (let n = 0; n < 20; n++) {
          handles.push(await second.start(order, `${round}-later-${n}`, undefined));
        }
        await migrate(db, { ...options, direction: "down" });
      }
      await migrate(db, options).finally(() => db.close());

      for (const handle of handles) {
        assertEquals((await handle.result()).status, "completed");
      }
      const attempts = await there.sql`select attempt, count(*)::int from hephaestus.step_results
        where step_ref <> 'nap' group by 1`;
      assertEquals([...attempts], [{ attempt: 1, count: 320 * 4 }]);
      assertEquals(logger.said.filter((line) => !/, retrying: |^Can .* again/.test(line)), []);
      await assertSound(there.sql);
    });
  }
});

describe("a process of the version before, which works on while the tables are newer", () => {
  it("says that a step waits by a sign, and is understood", async () => {
    await using there = await migrated();
    await using hephaestus = new Hephaestus({ url: there.url, workflows: [other], logger: silent });
    const { id } = await hephaestus.start(other, "one", undefined);

    await there.sql`
      insert into hephaestus.step_results (instance_id, workflow_version, step_ref, activation, event)
      values (${id}, 1, 'one', -1, '__async__'), (${id}, 1, 'one', 1, 'ok')`;

    const rows = await there.sql`
      select activation, waits from hephaestus.step_results where instance_id = ${id} order by waits`;
    assertEquals(rows.map(({ activation, waits }) => [activation, waits]), [[1, false], [1, true]]);
  });
});
