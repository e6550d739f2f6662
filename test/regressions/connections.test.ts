import { assert, assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../mod.ts";
import { onPostgres } from "../everywhere.ts";

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
