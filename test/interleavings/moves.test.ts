import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { Hephaestus } from "../../mod.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { storedGraph } from "../../src/core/deploy/stored_graph.ts";
import { encodeGraph } from "../../src/core/graph/fingerprint.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import type { Tx } from "../../src/postgres/driver/contract.ts";
import { moveIn, type Mover } from "../../src/postgres/maintenance/moving.ts";
import { tablesOf } from "../../src/postgres/sql/tables.ts";
import { left, order, right } from "../deploys/versions.ts";
import { eventually, silent } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { type Database, migrated } from "../pg.ts";
import { sessionsOf } from "./party.ts";

type How = "commit" | "rollback";

/** An instance of version 1, and who meets at it. */
interface Scene {
  readonly database: Database;
  readonly id: string;
  readonly hephaestus: Hephaestus;
  readonly backend: Storage;
}

/** What meets a move, by itself or in a transaction that is held open. */
interface Meeting {
  readonly name: string;
  readonly act: (scene: Scene, tx?: TransactionSql) => Promise<string>;
  /** Whether the first step has run, so that the instance waits. */
  readonly waiting: boolean;
  /** Beside an open move: whether it waits, and what comes of it. */
  readonly waits: boolean;
  readonly done: string;
  /** What comes of a move that has waited for it. */
  readonly found?: string;
  /** Whether it ends the instance. */
  readonly ends?: boolean;
}

async function claim({ backend, database }: Scene, version: number): Promise<string> {
  const process = await backend.queue.register("claimer", 60_000);
  const serves = [{ workflow: order.name, version }];
  const jobs = await backend.queue.claim({ process, queue: "default", limit: 9, serves });
  await database.sql`update hephaestus.processes set expires_at = now() where id = ${process}`;
  return jobs.map(({ step, version }) => `${step} ${version}`).join() || "nothing";
}

const meetings: readonly Meeting[] = [
  {
    name: "delivery",
    act: ({ hephaestus, id }, tx) => hephaestus.resume(order, { id }, right.emit.ok(), { tx }),
    ...{ waiting: true, waits: true, done: "accepted", found: "moved" },
  },
  {
    name: "scheduled delivery",
    async act({ hephaestus, id }, tx) {
      const after = "1ms";
      await hephaestus.scheduleResume(order, { id }, right.emit.ok(), { after, tx });
      return "scheduled";
    },
    ...{ waiting: true, waits: true, done: "scheduled", found: "moved" },
  },
  {
    name: "cancel",
    async act({ hephaestus, id }, tx) {
      await hephaestus.cancel(order, { id }, { tx });
      return "cancelled";
    },
    ...{ waiting: true, waits: true, done: "cancelled", found: "gone", ends: true },
  },
  {
    name: "delete",
    async act({ hephaestus, id }, tx) {
      await hephaestus.deleteInstance(order, { id }, { force: true, tx });
      return "deleted";
    },
    ...{ waiting: true, waits: true, done: "deleted", found: "gone", ends: true },
  },
  {
    // It leaves alone what a move holds. Afterwards it must not find what has another version.
    name: "claim of the former version",
    act: (scene) => claim(scene, 1),
    ...{ waiting: false, waits: false, done: "nothing" },
  },
];

const ways = ["commit", "rollback"] as const;

describe("beside an open move to another version", () => {
  for (const { name, act, waiting, waits, done, ends = false } of meetings) {
    for (const how of ways) {
      it(`a ${name} ${waits ? "waits" : "passes by"}, when that ends in a ${how}`, async () => {
        await using scene = await lay(waiting);
        const over = opened(how);
        const first = sessionsOf(scene.database.url, "first");
        const moving = first.transaction((tx) => over.within(() => moved(tx, scene.id)));
        moving.catch(() => {});
        await over.begun;

        const second = await beside(scene, act(scene), over.end);
        await moving.catch(() => {});
        await first.close();

        assertEquals(second, { waited: waits, answer: done });
        await finish(scene, how === "commit" ? 2 : 1, ends);
      });
    }
  }
});

describe("a move to another version", () => {
  for (const { name, act, found, ends = false } of meetings) {
    if (found === undefined) continue;
    for (const how of ways) {
      it(`waits for an open ${name} that ends in a ${how}`, async () => {
        await using scene = await lay(true);
        const over = opened(how);
        const acting = scene.database.sql.begin((tx) => over.within(() => act(scene, tx)));
        acting.catch(() => {});
        await over.begun;

        const second = sessionsOf(scene.database.url, "second");
        const moving = second.transaction((tx) => moved(tx, scene.id));
        const answer = await beside(scene, moving, over.end);
        await acting.catch(() => {});
        await second.close();

        const expected = how === "commit" ? found : "moved";
        assertEquals(answer, { waited: true, answer: expected });
        await finish(scene, expected === "moved" ? 2 : 1, ends && how === "commit");
      });
    }
  }

  it("is refused while a process has a job, and finds none when it was given back", async () => {
    await using scene = await lay(false);
    assertEquals(await claim(scene, 1), "fork 1");
    const db = sessionsOf(scene.database.url, "second");
    assertEquals(await db.transaction((tx) => moved(tx, scene.id)), '"fork" is running');
    await scene.backend.queue.rescue();
    assertEquals(await db.transaction((tx) => moved(tx, scene.id)), "moved");
    await db.close();
    assertEquals(await claim(scene, 1), "nothing");
    await finish(scene, 2, false);
  });
});

/** A transaction that is open until it is told how to end. */
function opened(how: How) {
  let begin = () => {};
  let end = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const ending = new Promise<void>((resolve) => end = resolve);
  return {
    begun,
    end,
    async within(work: () => Promise<unknown>): Promise<void> {
      await work();
      begin();
      await ending;
      if (how === "rollback") throw new Error("Taken back");
    },
  };
}

async function moved(tx: Tx, id: string): Promise<string> {
  const [before, target] = [order.versions.get(1)!, order.versions.get(2)!];
  const graph = storedGraph(encodeGraph(before.graph));
  const mover: Mover = {
    t: tablesOf("hephaestus"),
    channel: "nobody",
    graphs: new Map([[before.fingerprint, graph]]),
    from: 1,
    before,
    target,
    dryRun: false,
  };
  const answer = await moveIn(tx, mover, { id, key: "id::a" });
  return answer === undefined ? "moved" : typeof answer === "string" ? answer : answer.reason;
}

/** Lets the second begin, and ends the first when it waits or has ended. */
async function beside({ database }: Scene, answering: Promise<string>, end: () => void) {
  let settled = false;
  const noted = answering.finally(() => settled = true);
  noted.catch(() => {});
  let waited = false;
  const waits = async () => {
    const rows = await database.sql`select from pg_stat_activity
      where application_name = 'second' and wait_event_type = 'Lock'`;
    return rows.length > 0;
  };
  await eventually(async () => settled || (waited = await waits()), "the second waits or ends");
  end();
  return { waited, answer: await noted };
}

async function lay(waiting: boolean): Promise<Scene & AsyncDisposable> {
  const database = await migrated();
  const url = `${database.url}?application_name=second`;
  const options = { workflows: [order], logger: silent, notify: false };
  const hephaestus = new Hephaestus({ url, ...options });
  const backend = postgresBackend({ url, poolSize: 7, notify: false });
  const { id } = await hephaestus.start(order, "a", { n: 1 }, { version: 1 });
  if (waiting) {
    await using _ = hephaestus.work({ poll: "20ms" });
    const waits = async () => (await hephaestus.get(order, { id }))?.status === "waiting";
    await eventually(waits, "it waits");
  }
  return {
    ...{ database, id, hephaestus, backend },
    async [Symbol.asyncDispose]() {
      await hephaestus.close();
      await backend[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** The instance has this version, and so has everything of it; it comes to its end. */
async function finish({ database, hephaestus, id }: Scene, version: number, isOver: boolean) {
  const { sql } = database;
  const versions = await sql`
    select workflow_version from hephaestus.workflow_instances
    union select workflow_version from hephaestus.jobs where state not in ('discarded', 'cancelled')
    union select workflow_version from hephaestus.step_results where not processed`;
  if (isOver) return await assertSound(sql);
  assertEquals(versions.map((row) => row.workflow_version), [version]);
  await using _ = hephaestus.work({ poll: "20ms" });
  for (const delivery of [left.emit.ok(), right.emit.ok()]) {
    await hephaestus.resume(order, { id }, delivery);
  }
  const handle = await hephaestus.handle(order, { id });
  assertEquals((await handle?.result())?.status, "completed");
  const history = await hephaestus.history(order, { id });
  assertEquals(history.some(({ step }) => step === "audit"), version === 2);
  await assertSound(sql);
}
