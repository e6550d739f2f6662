import { assertEquals } from "@std/assert";
import { done, each, type, workflow } from "../../mod.ts";
import { eventually, Gate, onPostgres } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";

let gates = { first: new Gate(), both: new Gate(), end: new Gate() };
let fails = false;
let running = 0;
let inside = 0;

/** The first of two items holds the transaction of its result open while the second one ends. */
const pair = each("pair", {
  input: type<number>(),
  over: ({ input }) => Array.from({ length: input }, (_, place) => place),
  limit: 2,
  events: { ok: type<number>() },
  retry: { attempts: 2, base: "1ms" },
  async run({ item, tx, emit }) {
    if (++running === 2) gates.both.open();
    await gates.both.opened;
    const isFirst = inside++ === 0;
    if (!isFirst) await gates.first.opened;
    return tx(async (sql) => {
      await sql`insert into effects values (${item})`;
      if (isFirst) {
        gates.first.open();
        await gates.end.opened;
        if (fails) throw new Error("Taken back");
      }
      return emit.ok(item);
    });
  },
});
const pairs = workflow("pairs", { key: "id", input: type<number>(), start: pair })
  .on(pair, { finished: done })
  .build();

onPostgres("two items of one list that end at the same time in two processes", (it) => {
  for (const total of [2, 3]) {
    for (const how of ["commit", "rollback"] as const) {
      const title = `are counted once each, of ${total}, where the first ends in a ${how}`;
      it(title, { workflows: [pairs] }, async ({ hephaestus, another, sql }) => {
        await sql`create table effects (item int)`;
        gates = { first: new Gate(), both: new Gate(), end: new Gate() };
        fails = how === "rollback";
        running = inside = 0;
        const often = { poll: "20ms", queues: { default: 1 } } as const;
        await using _one = hephaestus.work(often);
        await using _two = another().work(often);
        const handle = await hephaestus.start(pairs, "one", total);
        await gates.first.opened;
        await eventually(async () => {
          const ended = await sql`
            select from hephaestus.step_results where step_ref = 'pair[]'
            union all select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`;
          return ended.length > 0;
        }, "the second one has ended, or waits");
        gates.end.open();
        assertEquals((await handle.result()).status, "completed");

        const history = await hephaestus.history(pairs, "one");
        const rows = history.map(({ step, activation, event }) => `${step} ${activation} ${event}`);
        const items = Array.from({ length: total }, (_, place) => `pair[] ${place + 1} ok`);
        assertEquals(rows.sort(), ["pair 1 __items__", "pair 1 finished", ...items].sort());
        assertEquals(history.at(-1)?.output, { items: total, failed: 0 });
        const effects = await sql<{ item: number }[]>`select item from effects order by item`;
        assertEquals(effects.map(({ item }) => item), items.map((_, place) => place));
        await assertSound(sql);
      });
    }
  }
}, ["inline"]);
