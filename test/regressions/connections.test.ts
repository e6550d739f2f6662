import { describe, it as nodeIt } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { connections, done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { onPostgres, silent } from "../everywhere.ts";
import { migrated } from "../pg.ts";

const byDefault = { poolSize: undefined };
const bound = () => ({ signal: AbortSignal.timeout(15_000) });

onPostgres("steps in transactions", (it) => {
  const first = step("first", {
    events: { ok: type() },
    run: ({ emit, tx }) =>
      tx(async (sql) => {
        await sql`select pg_sleep(0.2)`;
        return emit.ok();
      }),
  });
  const second = step("second", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const flow = workflow("flow", { key: "id", input: type<number>(), start: first })
    .on(first, { ok: second })
    .on(second, { ok: done })
    .build();
  const workflows = [flow];

  for (const count of [10, 40]) {
    it(
      `do not wait for each other, and calls not for them: ${count} of them`,
      { workflows },
      async ({
        hephaestus,
        another,
      }) => {
        const items = Array.from({ length: count }, (_, n) => ({ key: `k${n}`, input: n }));
        const handles = await hephaestus.startMany(flow, items);
        const working = another(byDefault);
        const worker = working.work({ queues: { default: count } });
        await worker.ready;

        const { items: listed } = await working.list(flow, { limit: 100 });
        const ends = await Promise.all(handles.map((handle) => handle.result(bound())));

        assertEquals(listed.length, count);
        assert(ends.every(({ status }) => status === "completed"));
      },
    );
  }
});

describe("the connections of engines", () => {
  const act = step("act", {
    events: { ok: type() },
    run: ({ emit, tx }) => tx(async (sql) => (await sql`select pg_sleep(0.05)`, emit.ok())),
  });
  const flow = workflow("flow", { key: "id", input: type(), start: act }).on(act, { ok: done })
    .build();

  nodeIt(
    "are shared by two schemas, never more than poolSize, and outlive each engine",
    async () => {
      await using database = await migrated();
      const { url, sql } = database;
      const db = connect({ url, max: 1 });
      await migrate(db, { schema: "second" });
      await db.close();
      await using shared = connections({ url, poolSize: 6 });
      const engines = ["hephaestus", "second"].map((schema) =>
        new Hephaestus({ connections: shared, schema, workflows: [flow], logger: silent })
      );
      await Promise.all(engines.map((engine) => engine.work({ poll: "50ms" }).ready));
      const items = Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, input: undefined }));
      const handles = await Promise.all(engines.map((engine) => engine.startMany(flow, items)));
      const ends = Promise.all(handles.flat().map((handle) => handle.result(bound())));
      let [most, ended] = [0, false];
      const settled = ends.finally(() => ended = true);
      while (!ended) {
        const [row] = await sql`select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = 'hephaestus'`;
        most = Math.max(most, row?.n);
      }

      assert((await settled).every(({ status }) => status === "completed"));
      assert(most > 1 && most <= 6, `${most} connections`);
      await engines[0]!.close();
      await (await engines[1]!.start(flow, "after", undefined)).result(bound());
      await engines[1]!.close();
    },
  );

  nodeIt("are at least five, and are not told twice where they lead", () => {
    const engine = (options: object) => () => new Hephaestus({ workflows: [flow], ...options });
    const url = "postgres://me@127.0.0.1/db";
    assertThrows(engine({ url, poolSize: 4 }), RangeError, "a whole number of at least 5, got 4");
    assertThrows(engine({ url, poolSize: 3, notify: false }), RangeError, "at least 4, got 3");
    assertThrows(
      engine({ url, connections: connections({ url }) }),
      TypeError,
      "Cannot use the option url together with connections",
    );
  });
});
