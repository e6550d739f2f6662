import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  done,
  Hephaestus,
  HephaestusError,
  SchemaVersionError,
  step,
  type,
  workflow,
} from "../../../mod.ts";
import { postgresBackend } from "../../../src/postgres/backend.ts";
import { connect } from "../../../src/postgres/driver/connect.ts";
import { migrate } from "../../../src/postgres/migrations/migrate.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, keeping } from "../../everywhere.ts";
import { database, migrated } from "../../pg.ts";
import { proxy } from "../../proxy.ts";

const act = step("act", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const simple = workflow("simple", { key: "id", input: type(), start: act })
  .on(act, { ok: done })
  .build();
const workflows = [simple];

const migrateTo = async (url: string) => {
  const db = connect({ url, max: 1 });
  await migrate(db, { schema: "hephaestus" }).finally(() => db.close());
};

/** A backend in memory whose processes cannot enter as long as `trouble` returns an error. */
function hindered(trouble: () => Error | undefined) {
  const backend = memory() as Storage & ReturnType<typeof memory>;
  let tries = 0;
  const hindered: Storage = {
    ...backend,
    queue: {
      ...backend.queue,
      register(...of) {
        tries++;
        const error = trouble();
        return error ? Promise.reject(error) : backend.queue.register(...of);
      },
    },
  };
  return { backend, hindered, tries: () => tries };
}

describe("a worker that cannot begin", () => {
  it("says each new cause once, though they take turns", async () => {
    let at = 0;
    const { hindered: backend, tries } = hindered(() => {
      at++;
      return at > 5 ? undefined : new Error(at % 2 === 0 ? "even" : "odd");
    });
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend, workflows, logger });

    await hephaestus.work().ready;

    assertEquals(tries(), 6);
    assertEquals(logger.said.map((line) => line.replace(/ \{.*/, "")), [
      "Cannot start the worker, retrying: odd",
      "Cannot start the worker, retrying: even",
      "The database is available. The worker has started",
    ]);
  });

  it("is not waited for by stop(), and its ready resolves", async () => {
    const { hindered: backend } = hindered(() => new Error("away"));
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend, workflows, logger });
    const worker = hephaestus.work();
    await eventually(() => logger.said.length > 0, "it tries");

    await worker.stop();
    await worker.ready;

    assertEquals(worker.id, "");
    assertEquals(logger.said.length, 1);
  });

  it("is not waited for by close() when the server does not even answer", async () => {
    await using there = await migrated();
    await using road = await proxy(there.url);
    road.stall(true);
    await using hephaestus = new Hephaestus({ url: road.url, workflows, logger: keeping() });
    const worker = hephaestus.work();

    await worker.stop({ grace: 0 });

    road.cut();
  });

  it("leaves no process behind when it entered after it was stopped", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    let enter = () => {};
    const waits = new Promise<void>((resolve) => enter = resolve);
    let asked = false;
    let left = false;
    const slow: Storage = {
      ...backend,
      queue: {
        ...backend.queue,
        async register(...of) {
          asked = true;
          await waits;
          return await backend.queue.register(...of);
        },
        async unregister(process) {
          await backend.queue.unregister(process);
          left = true;
        },
      },
    };
    await using hephaestus = new Hephaestus({ backend: slow, workflows, logger: keeping() });
    const worker = hephaestus.work();
    await eventually(() => asked, "it enters");

    await worker.stop();
    enter();

    await eventually(() => left, "it leaves");
  });

  it("says so when it gets no answer at all", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const gate = new Gate();
    const hanging: Storage = { ...backend, ready: () => gate.opened };
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend: hanging, workflows, logger });
    const worker = hephaestus.work();
    await eventually(() => logger.said.length > 0, "it says so");

    gate.open();
    await worker.ready;

    assertEquals(logger.said.map((line) => line.replace(/ \{.*/, "")), [
      "Cannot start the worker, retrying: no response yet",
      "The database is available. The worker has started",
    ]);
  });

  it("gives up where it is pointless, and says so though nobody waits for it", async () => {
    await using there = await migrated();
    await there.sql`insert into hephaestus.migrations (version, name, sha256)
      values (99, 'future', ${"f".repeat(64)})`;
    const logger = keeping();
    await using hephaestus = new Hephaestus({ url: there.url, workflows, logger });

    const worker = hephaestus.work();

    const error = await assertRejects(
      () => worker.ready,
      SchemaVersionError,
      "it is at version 99",
    );
    assertEquals(error.migratable, false);
    assertEquals(logger.said.map((line) => line.replace(/ \{.*/, "")), [
      "Cannot start the worker, and retrying cannot help: " + error.message,
    ]);
    await worker.stop();
  });
});

describe("a process that was declared dead", () => {
  it("enters again when it can, and says once that it cannot", async () => {
    let away = false;
    const { backend, hindered: flaky, tries } = hindered(() =>
      away ? new HephaestusError("DATABASE_UNREACHABLE", "Cannot reach the database") : undefined
    );
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend: flaky, workflows, logger });
    const worker = hephaestus.work({ poll: "20ms", heartbeat: "20ms", lease: "10s" });
    await worker.ready;
    const before = worker.id;

    away = true;
    await backend.queue.unregister(before);
    await eventually(() => tries() >= 4, "it tries again and again");
    away = false;
    const handle = await hephaestus.start(simple, "one", undefined);

    assertEquals((await handle.result()).status, "completed");
    assert(worker.id !== before);
    assertEquals(logger.said.map((line) => line.replace(/ \{.*/, "")), [
      "This process was declared dead. It aborts its running jobs and registers again",
      "Cannot start the worker, retrying: Cannot reach the database",
      "The database is available. The worker has started",
    ]);
  });
});

describe("a worker whose database is dropped and made again", () => {
  it("says so once for each part that fails, and works on when the tables are there", async () => {
    const there = await database();
    const name = new URL(there.url).pathname.slice(1);
    await migrateTo(there.url);
    const logger = keeping();
    const options = { poll: "50ms", heartbeat: "50ms", lease: "10s" } as const;
    try {
      await using hephaestus = new Hephaestus({ url: there.url, workflows, logger });
      const worker = hephaestus.work(options);
      await worker.ready;
      await there.sql.end();
      await using other = await database();
      await other.sql.unsafe(`drop database ${name} with (force)`);
      await eventually(
        () => logger.said.some((line) => line.includes("does not exist")),
        "it says so",
      );

      await other.sql.unsafe(`create database ${name}`);
      await migrateTo(there.url);
      await eventually(
        () => logger.said.some((line) => line.startsWith("This process was declared dead")),
        "it notices",
      );
      const handle = await hephaestus.start(simple, "one", undefined);

      assertEquals((await handle.result()).status, "completed");
      const gone = logger.said.filter((line) => line.includes("does not exist"));
      assertEquals(new Set(gone.map((line) => line.replace(/ \{.*/, ""))).size, gone.length);
    } finally {
      await there[Symbol.asyncDispose]();
    }
  });
});

describe("a listener that cannot listen", () => {
  it("is told of once, and once when it hears again", async () => {
    const backend = postgresBackend({ url: "postgres://127.0.0.1:1/none" });
    const memoryBackend = memory() as Storage & ReturnType<typeof memory>;
    const logger = keeping();
    let heard: (queues: readonly string[]) => void = () => {};
    await using hephaestus = new Hephaestus({
      backend: {
        ...memoryBackend,
        queue: {
          ...memoryBackend.queue,
          listen(wake: (queues: readonly string[]) => void, trouble?: (error: unknown) => void) {
            heard = wake;
            return backend.queue.listen(wake, trouble);
          },
        },
      } as never,
      workflows,
      logger,
    });
    await hephaestus.work().ready;
    await eventually(() => logger.said.length > 0, "it says so");
    assertStringIncludes(logger.said[0]!, "Cannot listen for notifications, retrying: ");

    heard([]);

    assertEquals(logger.said.slice(1), ["Can listen for notifications again {}"]);
    await backend[Symbol.asyncDispose]();
  });
});
