import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { done, Hephaestus, join, RetryLaterError, step, timer, type, workflow } from "../../mod.ts";
import { elapse } from "../contracts/postgres_world.ts";
import { eventually, silent } from "../everywhere.ts";
import { migrated } from "../pg.ts";

const day = 86_400_000;
const split = step("split", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const zero = timer("zero", 0);
const overflow = timer("overflow", `${2 ** 31 + 1}ms`);
// Wherever in the year this begins, the clocks change within some of them.
const spring = timer("spring", "120d");
const autumn = timer("autumn", "240d");
const decade = timer("decade", "3650d");
const later = step("later", {
  events: { ok: type() },
  run({ emit, instance }) {
    if (!instance.key.endsWith("due")) throw new RetryLaterError({ after: "180d" });
    return emit.ok();
  },
});
const last = step("last", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const long = workflow("long", { key: "id", input: type(), start: split })
  .on(split, { ok: [zero, overflow, spring, autumn, decade] })
  .on(zero, { elapsed: join(last) })
  .on(overflow, { elapsed: join(last) })
  .on(spring, { elapsed: join(last) })
  .on(autumn, { elapsed: join(last) })
  .on(decade, { elapsed: join(last) })
  .on(last, { ok: done })
  .build();
const put = workflow("put", { key: "id", input: type(), start: later })
  .on(later, { ok: done })
  .build();

describe("a timer of any length, where the clocks change", () => {
  it("is due when its time has passed on the database's clock, and not before", async () => {
    await using database = await migrated();
    const { sql, url } = database;
    const [{ name }] = await sql`select current_database() as name` as [{ name: string }];
    await sql.unsafe(`alter database ${name} set timezone = 'Europe/Berlin'`);
    await using hephaestus = new Hephaestus({ url, workflows: [long, put], logger: silent });
    const worker = hephaestus.work({ poll: "50ms" });
    await worker.ready;
    const handle = await hephaestus.start(long, "one", undefined);
    await hephaestus.start(put, "one", undefined);
    const active = async () => (await hephaestus.get(long, handle))?.active.toSorted();
    const others = ["autumn", "decade", "overflow", "spring"];
    await eventually(async () => (await active())?.join() === others.join(), "zero elapses");
    await eventually(async () => {
      const [row] = await sql`select from hephaestus.jobs where step = 'later' and attempt = 0
        and state = 'scheduled'`;
      return row !== undefined;
    }, "a step is put off");

    const rows = await sql`
      select step, round(extract(epoch from scheduled_at - coalesce(attempted_at, inserted_at)))::int as seconds,
        to_char(scheduled_at at time zone 'Europe/Berlin', 'HH24')
          <> to_char(coalesce(attempted_at, inserted_at) at time zone 'Europe/Berlin', 'HH24') as moved
      from hephaestus.jobs where state = 'scheduled' order by scheduled_at`;
    assertEquals(rows.map(({ step, seconds }) => [step, seconds]), [
      ["overflow", 2_147_484],
      ["spring", 120 * 86_400],
      ["later", 180 * 86_400],
      ["autumn", 240 * 86_400],
      ["decade", 3650 * 86_400],
    ]);
    assert(rows.some(({ moved }) => moved), "the clocks change within one of them");

    for (const [days, left] of [[119, 3], [2, 2], [120, 1]] as const) {
      await elapse(database, days * day);
      await eventually(
        async () => (await active())?.length === left,
        `${left} timers are left after ${days} more days`,
      );
    }
    await elapse(database, 3408 * day);
    assertEquals(await active(), ["decade"]);
    await elapse(database, 2 * day);
    assertEquals((await handle.result()).status, "completed");
  });

  it("has no negative length, and none beyond a century", () => {
    for (const length of ["-1ms", "-0.001s", "-1s", "Infinityd", "NaNms", "36526d", 7]) {
      assertThrows(() => timer("odd", length as "1ms"), Error, "cannot use duration");
    }
  });
});
