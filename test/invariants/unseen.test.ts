import postgres from "postgres";
import { assert, assertEquals } from "@std/assert";
import { done, step, timer, type, workflow } from "../../mod.ts";
import { channelOf } from "../../src/postgres/sql/identifiers.ts";
import { eventually, Gate, onPostgres } from "../everywhere.ts";
import { allFree, watchSlots } from "../slots.ts";

// What polls, leases and other connections make up for, so that no story shows it: it is counted here.

const a = step("a", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const b = step("b", { queue: "others", events: { ok: type() }, run: ({ emit }) => emit.ok() });
const c = step("c", { queue: "others", events: { ok: type() }, run: ({ emit }) => emit.ok() });
const shared = workflow("shared", { key: "id", input: type(), start: a })
  .on(a, { ok: [b, c] })
  .on(b, { ok: done })
  .on(c, { ok: done })
  .build();
const short = workflow("short", { key: "id", input: type(), start: a }).on(a, { ok: done }).build();

const nap = timer("nap", "1d");
const fail = step("fail", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run() {
    throw new Error("It always fails");
  },
});
const doomed = workflow("doomed", { key: "id", input: type(), start: a })
  .on(a, { ok: [nap, fail] })
  .on(nap, { elapsed: done })
  .on(fail, { ok: done })
  .build();

let begun = new Gate();
let goOn = new Gate();
let settings: readonly unknown[] = [];
const write = step("write", {
  events: { ok: type() },
  run: ({ tx, emit }) =>
    tx(async (sql) => {
      settings = await sql`
        select current_setting('idle_in_transaction_session_timeout') as idle, current_setting('statement_timeout') as statement`;
      begun.open();
      await goOn.opened;
      return emit.ok();
    }),
});
const writing = workflow("writing", { key: "id", input: type(), start: write })
  .on(write, { ok: done })
  .build();
const hold = step("hold", {
  events: { ok: type() },
  async run({ emit }) {
    begun.open();
    await goOn.opened;
    return emit.ok();
  },
});
const holding = workflow("holding", { key: "id", input: type(), start: hold })
  .on(hold, { ok: done })
  .build();

/** Listens in a session of its own until it is disposed. */
async function hears(
  url: string,
  channel: string,
): Promise<{ readonly heard: readonly string[] } & AsyncDisposable> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const heard: string[] = [];
  await sql.listen(channel, (payload) => void heard.push(payload));
  return { heard, [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) };
}

onPostgres("what is made up for when it fails", (it) => {
  it(
    "is done: a commit names the queue of jobs that others may claim",
    { workflows: [shared] },
    async ({ hephaestus, work, url }) => {
      await using listener = await hears(url, channelOf("hephaestus"));
      await work();

      await hephaestus.start(shared, "a", undefined);

      await eventually(() => listener.heard.includes("others"), "the queue is named", 60_000);
    },
  );

  it(
    "is done: an end names its instance",
    { workflows: [short, doomed] },
    async ({ hephaestus, work, url }) => {
      await using listener = await hears(url, channelOf("hephaestus", "ended"));
      await work();

      for (const flow of [short, doomed]) {
        const { id } = await hephaestus.start(flow, "a", undefined);
        await eventually(
          () => listener.heard.some((payload) => payload.includes(id)),
          `${flow.name} is named`,
        );
      }
    },
  );

  it(
    "is done: a discard leaves no timer",
    { workflows: [doomed] },
    async ({ hephaestus, work, sql }) => {
      await work();

      const { status } = await (await hephaestus.start(doomed, "a", undefined)).result();

      assertEquals(status, "failed");
      const left = await sql`
      select step, state from hephaestus.jobs where state not in ('discarded', 'cancelled')`;
      assertEquals([...left], []);
    },
  );

  it(
    "is done: a listener asks its server whether it still listens",
    { workflows: [short] },
    async ({ work, sql }) => {
      await work();

      await eventually(
        async () => {
          const [row] = await sql`
        select count(*)::int as asked from pg_stat_activity
        where datname = current_database() and query like '%pg_listening_channels()%' and pid <> pg_backend_pid()`;
          return row?.asked > 0;
        },
        "the listener has asked",
        60_000,
      );
    },
  );

  it(
    "is done: a session that stands still in a transaction has a limit",
    { workflows: [writing] },
    async ({ hephaestus, work }) => {
      [begun, goOn] = [new Gate(), new Gate()];
      goOn.open();
      await work();

      await (await hephaestus.start(writing, "a", undefined)).result();

      const [found] = settings as readonly { readonly idle: string; readonly statement: string }[];
      assert(
        found !== undefined && found.idle !== "0" && found.statement !== "0",
        JSON.stringify(found),
      );
    },
  );

  for (const flow of [writing, holding]) {
    it(`is done: the slot of a step of ${flow.name} that is over is given back`, {
      workflows: [flow],
    }, async ({ hephaestus, another, work }) => {
      const slots = watchSlots();
      const other = another();
      await work({ queues: { default: 2 } });
      for (const key of ["a", "b", "c"]) {
        [begun, goOn] = [new Gate(), new Gate()];
        await hephaestus.start(flow, key, undefined);
        await begun.opened;
        // By another process: this one learns of it when it writes.
        await other.cancel(flow, key);
        goOn.open();
        await allFree(slots);
      }
    });
  }
});
