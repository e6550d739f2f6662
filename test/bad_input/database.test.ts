import { describe, it } from "node:test";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  done,
  Hephaestus,
  HephaestusError,
  join,
  SchemaVersionError,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { freePort } from "../../scripts/embedded_postgres.ts";
import { eventually, keeping, silent } from "../everywhere.ts";
import { proxy } from "../proxy.ts";
import { migrated, ownServer } from "../pg.ts";

const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const left = one.as("left");
const right = one.as("right");
const nap = timer("nap", "30ms");
const last = step("last", {
  events: { ok: type() },
  run: ({ emit, tx, instance }) =>
    tx(async (sql) => {
      await sql`insert into effects values (${instance.key})`;
      return emit.ok();
    }),
});
const order = workflow("order", { key: "id", input: type(), start: one })
  .on(one, { ok: [left, right] })
  .on(left, { ok: join(nap) })
  .on(right, { ok: join(nap) })
  .on(nap, { elapsed: last })
  .on(last, { ok: done })
  .build();
const simple = workflow("simple", { key: "id", input: type(), start: one })
  .on(one, { ok: done })
  .build();
const workflows = [order, simple];

const secret = "s3cr3t-pa55word";

function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = password;
  return changed.href;
}

describe("a database that is not there", () => {
  it("is told of in a sentence, before long, and no secret with it", async () => {
    const logger = keeping();
    const url = `postgres://postgres:${secret}@127.0.0.1:${await freePort()}/orders`;
    await using hephaestus = new Hephaestus({ url, workflows, logger });

    const calls = [
      hephaestus.start(simple, "one", undefined),
      hephaestus.get(simple, "one"),
      hephaestus.cancel(simple, "one"),
    ];
    const began = performance.now();
    for (const call of await Promise.allSettled(calls)) {
      assert(call.status === "rejected" && call.reason instanceof HephaestusError);
      assertEquals(call.reason.code, "DATABASE_UNREACHABLE");
      assertStringIncludes(call.reason.message, "Cannot reach the database at");
      assertStringIncludes(call.reason.message, "the connection was refused (ECONNREFUSED)");
      assert(!`${call.reason.stack}`.includes(secret));
    }
    // Thirty seconds was the fault; what a busy machine takes is nobody's.
    assert(performance.now() - began < 20_000);
    assertEquals(logger.said.filter((line) => line.includes(secret)), []);
  });

  it("is waited for by a worker, which works once it is there", async () => {
    await using there = await migrated();
    await using road = await proxy(there.url);
    road.refuse(true);
    const logger = keeping();
    await using hephaestus = new Hephaestus({ url: road.url, workflows, logger });
    const worker = hephaestus.work({ poll: "50ms" });
    await eventually(
      () => logger.said.some((line) => line.startsWith("Cannot start the worker, retrying: ")),
      "it says that it tries",
    );

    road.refuse(false);
    await worker.ready;
    const handle = await hephaestus.start(simple, "one", undefined);

    assertEquals((await handle.result()).status, "completed");
  });
});

describe("a database that refuses", () => {
  it("says so at once when the password is wrong, and nobody sees it", async () => {
    await using there = await migrated();
    const logger = keeping();
    const url = withPassword(there.url, secret);
    await using hephaestus = new Hephaestus({ url, workflows, logger });

    const error = await assertRejects(
      () => hephaestus.start(simple, "one", undefined),
      HephaestusError,
    );

    assertEquals(error.code, "DATABASE_REFUSED");
    assertStringIncludes(error.message, "Cannot connect to the database: password");
    const shown = [error.stack, JSON.stringify(error), `${(error.cause as Error)?.stack}`];
    assertEquals(shown.filter((text) => text?.includes(secret)), []);
    assertEquals(logger.said.filter((line) => line.includes(secret)), []);
  });

  it("names the remedy when the tables are newer", async () => {
    await using there = await migrated();
    await using hephaestus = new Hephaestus({ url: there.url, workflows, logger: silent });

    await there.sql`insert into hephaestus.migrations (version, name, sha256)
      values (99, 'future', ${"f".repeat(64)})`;
    await assertRejects(
      () => hephaestus.work().ready,
      SchemaVersionError,
      "it is at version 99, but this package only knows versions up to",
    );
  });
});

describe("a database that goes away and comes back", () => {
  it("loses nothing, and no rejection is left unhandled", async () => {
    const unhandled: unknown[] = [];
    const keep = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", keep);
    try {
      await using server = await ownServer();
      const db = connect({ url: server.url, max: 1 });
      await migrate(db, { schema: "hephaestus" });
      await db.query("create table effects (key text)");
      await db.close();
      for (const inline of [true, false]) {
        const logger = keeping();
        await using hephaestus = new Hephaestus({ url: server.url, workflows, inline, logger });
        await hephaestus.work({
          poll: "50ms",
          heartbeat: "200ms",
          lease: "5s",
          queues: { default: 20 },
        })
          .ready;
        const handles = await Promise.all(
          Array.from(
            { length: 30 },
            (_, n) => hephaestus.start(order, `${inline} ${n}`, undefined),
          ),
        );
        await server.stop("immediate");
        await server.start();

        for (const handle of handles) {
          const end = await handle.result();
          assertEquals(end.status, "completed");
          const history = await hephaestus.history(order, { id: end.id });
          assertEquals(history.map(({ attempts }) => attempts), [1, 1, 1, 1, 1]);
        }
      }
      const after = connect({ url: server.url, max: 1 });
      const effects = await after.query("select key from effects");
      const once = await after.query("select distinct key from effects");
      await after.close();
      assertEquals([effects.length, once.length], [60, 60]);
      assertEquals(unhandled, []);
    } finally {
      process.off("unhandledRejection", keep);
    }
  });
});
