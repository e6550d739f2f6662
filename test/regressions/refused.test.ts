import { describe, it as nodeIt } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { choice, done, Hephaestus, step, type, type Workflow, workflow } from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { eventually, keeping, onPostgres, silent } from "../everywhere.ts";
import { database } from "../pg.ts";
import { allFree, watchSlots } from "../slots.ts";

const retry = { attempts: 2, backoff: "constant", base: "1ms" } as const;
let ran = 0;

const exploding = step("exploding", {
  events: { ok: type() },
  retry,
  run() {
    ran++;
    throw new Error("A \u{1f4a5} in the engine");
  },
});
const recovering = step("recovering", {
  events: { ok: type() },
  retry,
  run({ attempt, emit }) {
    if (attempt === 1) throw new Error("\u{1f4a5}");
    return emit.ok();
  },
});
const telling = step("telling", {
  events: { ok: type<string>() },
  retry,
  run({ emit }) {
    ran++;
    return emit.ok("\u{1f4a5}");
  },
});
const before = step("before", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const deciding = choice("deciding", {
  events: { ok: type() },
  decide() {
    throw new Error("\u{1f4a5}");
  },
});
const id = { key: "id", input: type() } as const;
const explosion = workflow("explosion", { ...id, start: exploding })
  .on(exploding, { ok: done }).build();
const recovery = workflow("recovery", { ...id, start: recovering })
  .on(recovering, { ok: done }).build();
const story = workflow("story", { ...id, start: telling }).on(telling, { ok: done }).build();
const decision = workflow("decision", { ...id, start: before })
  .on(before, { ok: deciding }).on(deciding, { ok: done }).build();
const workflows = [explosion, recovery, story, decision];

describe("an error with characters that the encoding of the database lacks", () => {
  for (const inline of [true, false]) {
    nodeIt(`is stored without them, and its attempt counts (${inline})`, async () => {
      const latin = "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0";
      await using place = await database(undefined, latin);
      const db = connect({ url: place.url, max: 1 });
      await migrate(db, { schema: "hephaestus" });
      await db.close();
      const engine = { url: place.url, workflows, inline, logger: silent };
      await using hephaestus = new Hephaestus(engine);
      await hephaestus.work({ poll: "50ms" }).ready;
      const end = async (of: Workflow) => {
        ran = 0;
        const handle = await hephaestus.start(of, "one", undefined);
        const { status, error } = await handle.result();
        return [status, error?.message, ran];
      };

      assertEquals(await end(explosion), ["failed", "A ? in the engine", 2]);
      assertEquals(await end(recovery), ["completed", undefined, 0]);
      assertEquals(await end(decision), ["failed", "?", 0]);
      assertEquals((await end(story)).filter((_, n) => n !== 1), ["failed", 2]);
      const [entry] = await hephaestus.history(recovery, "one");
      assertEquals(entry?.errors.map(({ message }) => message), ["?"]);
    });
  }
});

const plain = step("plain", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run: ({ emit }) => emit.ok(),
});
const inTx = step("inTx", {
  events: { ok: type() },
  retry: { attempts: 1 },
  run: ({ emit, tx }) =>
    tx(async (sql) => {
      await sql`insert into effects default values`;
      return emit.ok();
    }),
});
const outside = workflow("outside", { ...id, start: plain }).on(plain, { ok: done }).build();
const inside = workflow("inside", { ...id, start: inTx }).on(inTx, { ok: done }).build();
const effects = "create table effects (n int)";

onPostgres("a step that has succeeded", (it) => {
  for (const flow of [outside, inside]) {
    it(
      `does not fail because the database refuses to move its instance (${flow.name} of tx)`,
      { workflows: [outside, inside] },
      async ({ another, sql }) => {
        await sql.unsafe(`${effects};
          create function refuse() returns trigger language plpgsql as $$
            begin raise exception 'refused' using errcode = '22000'; end $$;
          create trigger refuse before update on hephaestus.workflow_instances for each row
            when (new.status = 'completed') execute function refuse()`);
        const slots = watchSlots();
        const logger = keeping();
        const hephaestus = another({ logger });
        await hephaestus.work({ poll: "50ms" }).ready;
        const handle = await hephaestus.start(flow, "one", undefined);

        await eventually(
          () => logger.said.some((line) => line.startsWith("Cannot advance an instance. Retrying")),
          "an advance says that it goes on trying",
        );

        const [entry] = await hephaestus.history(flow, handle);
        assertEquals([entry?.event, entry?.state, entry?.attempts], ["ok", "pending", 1]);
        await allFree(slots);
        await sql`drop trigger refuse on hephaestus.workflow_instances`;
        await sql`update hephaestus.jobs set scheduled_at = now()`;
        assertEquals((await handle.result()).status, "completed");
        const [row] = await sql`select count(*)::int from effects`;
        assertEquals(row?.count, flow === inside ? 1 : 0);
      },
    );
  }
});

onPostgres("a start that the database refuses", (it) => {
  it("keeps no slot", { workflows: [outside] }, async ({ hephaestus, sql, work }) => {
    await sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'refused' using errcode = '22000'; end $$;
      create trigger refuse before insert on hephaestus.workflow_instances for each row
        when (new.key <> 'id::good') execute function refuse()`);
    const slots = watchSlots();
    await work({ queues: { default: 2 } });

    for (const key of ["a", "b", "c"]) {
      await assertRejects(() => hephaestus.start(outside, key, undefined), Error);
    }
    await assertRejects(
      () =>
        hephaestus.startMany(outside, [{ key: "d", input: undefined }, {
          key: "e",
          input: undefined,
        }]),
      Error,
    );

    await (await hephaestus.start(outside, "good", undefined)).result();
    await allFree(slots);
  });
});

onPostgres("an instance that can no longer be written", (it) => {
  it("is not taken for one that is gone: its failure is left to an advance", {
    workflows: [explosion],
  }, async ({ another, sql, url }) => {
    const role = `r_${handleName()}`;
    await sql.unsafe(`create role ${role} login password 'p';
      grant usage on schema hephaestus to ${role};
      grant all on all tables in schema hephaestus to ${role};
      grant all on all sequences in schema hephaestus to ${role};
      alter table hephaestus.workflow_instances enable row level security;
      create policy sees on hephaestus.workflow_instances for select using (true);
      create policy puts on hephaestus.workflow_instances for insert with check (true)`);
    try {
      const as = new URL(url);
      [as.username, as.password] = [role, "p"];
      const logger = keeping();
      const engine = { url: as.href, workflows: [explosion], inline: false, logger };
      await using hephaestus = new Hephaestus(engine);
      await hephaestus.work({ poll: "50ms" }).ready;
      const handle = await hephaestus.start(explosion, "one", undefined);
      await eventually(
        () => logger.said.some((line) => line.includes("Cannot advance an instance")),
        "it is said that the instance cannot be moved",
      );

      await sql`create policy moves on hephaestus.workflow_instances for update using (true)`;

      assertEquals((await handle.result()).status, "failed");
    } finally {
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
    await another().close();
  });
});

function handleName(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
