import { assertEquals, assertRejects } from "@std/assert";
import type { ReservedSql, Sql } from "postgres";
import { AlreadyRunningError, done, signal, type, workflow } from "../../../mod.ts";
import { migrateInstances } from "../../../src/postgres/mod.ts";
import { eventually, onPostgres } from "../../everywhere.ts";
import { violated } from "./violated.ts";

const review = signal("review", { events: { passed: type() }, expires: "1h" });
const paper = workflow("paper", { key: "id", input: type(), start: review })
  .on(review, { passed: done, expired: done })
  .build();
const options = { workflows: [paper] };

const start = async (sql: Sql) => {
  const [row] = await sql<{ started: boolean }[]>`select * from hephaestus.start('paper', 'a')`;
  return row!.started;
};

/** Runs `other` while a transaction is open that has run `first`, and ends that one once the other waits, or is done. */
async function beside<T>(
  sql: Sql,
  first: (session: ReservedSql) => Promise<unknown>,
  how: "commit" | "rollback",
  other: () => Promise<T>,
): Promise<{ readonly waited: boolean; readonly answer: T | Error }> {
  const session = await sql.reserve();
  await session`begin`;
  await first(session);
  let answered = false;
  const answer = other().catch((error: Error) => error).finally(() => answered = true);
  let waited = false;
  await eventually(async () => {
    const [row] = await sql`
      select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`;
    waited = row !== undefined;
    return waited || answered;
  }, "the other one waits or is done");
  await session.unsafe(how);
  session.release();
  return { waited, answer: await answer };
}

onPostgres("the functions in two sessions", (it) => {
  it(
    "start one instance for a key, whichever commits",
    options,
    async ({ hephaestus, sql, work }) => {
      await (await work()).stop();

      assertEquals(await beside(sql, start, "rollback", () => start(sql)), {
        waited: true,
        answer: true,
      });
      await hephaestus.deleteInstance(paper, "a", { force: true });
      assertEquals(await beside(sql, start, "commit", () => start(sql)), {
        waited: true,
        answer: false,
      });
      await hephaestus.deleteInstance(paper, "a", { force: true });
      const inCode = () => hephaestus.start(paper, "a", undefined);
      const { waited, answer } = await beside(sql, start, "commit", inCode);
      assertEquals([waited, answer instanceof AlreadyRunningError], [true, true]);
      assertEquals(await violated(sql), []);
    },
  );

  const deliver = (sql: Sql) => sql`select hephaestus.deliver('paper', 'a', 'review', 'passed')`;

  it("let an instance end beside a delivery, which is then discarded", options, async (world) => {
    const { hephaestus, sql, work } = world;
    await work();
    await hephaestus.start(paper, "a", undefined);

    const met = await beside(sql, deliver, "commit", () => hephaestus.cancel(paper, "a"));

    assertEquals(met, { waited: false, answer: undefined });
    await eventually(async () => {
      const [job] = await sql`select state from hephaestus.jobs where step = '!deliver'`;
      return job?.state === "discarded";
    }, "the delivery is discarded");
    const [job] =
      await sql`select errors -> 0 ->> 'message' as message from hephaestus.jobs where step = '!deliver'`;
    assertEquals(
      job?.message,
      'Cannot resume paper "id::a": signal "review" is not waiting, instance is cancelled',
    );
    assertEquals((await hephaestus.get(paper, "a"))?.status, "cancelled");
    assertEquals(await violated(sql), []);
  });

  it(
    "deliver beside a turn that ends the wait, and the first one counts",
    options,
    async (world) => {
      const { hephaestus, sql, work } = world;
      await work();
      const handle = await hephaestus.start(paper, "a", undefined);
      const inCode = () => hephaestus.resume(paper, "a", review.emit.passed(), {});

      const met = await beside(sql, deliver, "commit", async () => {
        const answer = await inCode();
        await handle.result();
        return answer;
      });

      assertEquals(met, { waited: false, answer: "accepted" });
      await eventually(async () => {
        const [job] =
          await sql`select from hephaestus.jobs where state = 'available' or state = 'executing'`;
        return job === undefined;
      }, "the second delivery has an end");
      assertEquals((await hephaestus.history(paper, "a")).length, 1);
      assertEquals(await violated(sql), []);
    },
  );

  it("keep a delete waiting for a delivery, and leave nothing", options, async (world) => {
    const { hephaestus, sql, work } = world;
    await (await work()).stop();
    await hephaestus.start(paper, "a", undefined);
    const remove = () => hephaestus.deleteInstance(paper, "a", { force: true });

    const { waited } = await beside(sql, deliver, "commit", remove);

    assertEquals(waited, true);
    assertEquals(await sql`select from hephaestus.jobs`.then((rows) => rows.length), 0);
    await assertRejects(() => Promise.resolve(deliver(sql)), Error, "there is no such instance");
    assertEquals(await violated(sql), []);
  });
}, ["inline"]);

onPostgres("an instance that SQL has started and no worker has begun", (it) => {
  it("is not moved to another version yet", options, async ({ sql, url, work }) => {
    await (await work()).stop();
    await start(sql);

    const next = workflow("paper", { key: "id", input: type(), start: review, version: 2 })
      .on(review, { passed: done, expired: done })
      .build();
    const { moved, refused } = await migrateInstances({ url, workflow: next, from: 1 });

    assertEquals([moved, refused], [0, [
      { reason: "no worker has begun it", passes: true, instances: 1, keys: ["id::a"] },
    ]]);
  });
}, ["inline"]);

onPostgres("what SQL has started or delivered and kills its process", (it) => {
  it("is given up after five deaths", options, async ({ hephaestus, sql, work }) => {
    await (await work()).stop();
    await hephaestus.start(paper, "b", undefined);
    await start(sql);
    await sql`select hephaestus.deliver('paper', 'b', 'review', 'passed')`;
    await sql`update hephaestus.jobs set deaths = 5 where step in ('!start', '!deliver')`;

    await work();

    const died = "the process died each of the 5 times that it tried to";
    const end = await (await hephaestus.handle(paper, "a"))?.result();
    assertEquals(end?.error?.message, `Cannot begin workflow "paper": ${died}`);
    const discarded = () =>
      sql`
      select errors -> 0 ->> 'message' as message from hephaestus.jobs where state = 'discarded'`;
    await eventually(async () => (await discarded()).length === 1, "the delivery is discarded");
    const [job] = await discarded();
    assertEquals(job?.message, `Cannot deliver to workflow "paper": ${died}`);
    assertEquals((await hephaestus.get(paper, "b"))?.status, "waiting");
  });
}, ["inline"]);
