import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as v from "valibot";
import {
  AlreadyRunningError,
  done,
  Hephaestus,
  InstanceNotFoundError,
  InvalidValueError,
  NotWaitingError,
  signal,
  step,
  type,
  UnknownWorkflowError,
  versioned,
  workflow,
} from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { everywhere, silent } from "../everywhere.ts";
import { database } from "../pg.ts";

const approval = signal("approval", {
  events: { approved: v.object({ by: v.pipe(v.string(), v.minLength(1)) }), refused: type() },
});
const stranger = signal("stranger", { events: { approved: type() } });
const ship = step("ship", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const input = v.object({ total: v.number() });
const order = workflow("order", { key: "orderid", input, start: approval })
  .on(approval, { approved: ship, refused: done })
  .on(ship, { ok: done })
  .build();
const all = versioned("order", { versions: { 1: order }, current: 1 });
const foreign = workflow("foreign", { key: "id", input: type(), start: ship })
  .on(ship, { ok: done })
  .build();

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

everywhere("a call with a name that is not there", (it) => {
  it("is told which workflow, version, instance or signal is unknown", {
    workflows: [all],
  }, async ({ hephaestus }) => {
    await assertRejects(
      () => hephaestus.start(all, "one", { total: 1 }, { version: 7 }),
      UnknownWorkflowError,
      'Cannot find version 7 of workflow "order": registered versions are 1',
    );
    await assertRejects(
      () => hephaestus.resume(order, "nobody", approval.emit.refused()),
      InstanceNotFoundError,
      'Cannot resume order "orderid::nobody": no such instance exists',
    );
    await assertRejects(
      () => hephaestus.cancel(order, { id: "no id" }),
      InstanceNotFoundError,
      'Cannot cancel order instance "no id": no such instance exists',
    );
    await assertRejects(() => hephaestus.history(foreign, "one"), InstanceNotFoundError);
    assertEquals(await hephaestus.get(foreign, "one"), undefined);
    await hephaestus.start(order, "one", { total: 1 });
    await assertRejects(
      () => hephaestus.resume(order, "one", any(stranger.emit.approved())),
      TypeError,
      'Cannot deliver to workflow "order": it has no signal "stranger"',
    );
    await assertRejects(
      () => hephaestus.resume(order, "one", any({ step: "approval", event: "maybe" })),
      TypeError,
      'Cannot deliver to workflow "order": signal "approval" declares no event "maybe"',
    );
    await assertRejects(
      () => hephaestus.resume(order, "one", any({ step: "ship", event: "ok" })),
      TypeError,
      'Cannot deliver to workflow "order": step "ship" does not wait for a delivery',
    );
    for (const nothing of [undefined, null, 7, "approved"]) {
      await assertRejects(() => hephaestus.resume(order, "one", any(nothing)), TypeError);
    }
  });

  it("is refused when the key is none", { workflows: [order] }, async ({ hephaestus }) => {
    const keys = ["", "a::b", "a\u0000", "\ud800", "x".repeat(201), undefined, null, 7, {}];
    for (const key of keys) {
      await assertRejects(() => hephaestus.start(order, any(key), { total: 1 }), TypeError);
    }
    assertEquals((await hephaestus.list()).items, []);
  });
});

everywhere("a call at the wrong time", (it) => {
  it("is told that the instance is active, or final", {
    workflows: [order],
  }, async ({ hephaestus, work }) => {
    const handle = await hephaestus.start(order, "one", { total: 1 });
    await assertRejects(
      () => hephaestus.start(order, "one", { total: 2 }),
      AlreadyRunningError,
      `Cannot start order "orderid::one": instance "${handle.id}" is waiting`,
    );
    await work();
    await hephaestus.resume(order, "one", approval.emit.refused());
    await handle.result();

    assertEquals(await hephaestus.resume(order, "one", approval.emit.refused()), "duplicate");
    await hephaestus.start(order, "two", { total: 1 });
    await hephaestus.cancel(order, "two");
    await assertRejects(
      () => hephaestus.resume(order, "two", approval.emit.refused()),
      NotWaitingError,
      'Cannot resume order "orderid::two": ',
    );
    await assertRejects(
      () => hephaestus.cancel(order, "one"),
      Error,
      'Cannot cancel order "orderid::one": instance is completed',
    );
    await assertRejects(
      () => hephaestus.cancelJob("12345"),
      Error,
      'Cannot cancel job "12345": no such scheduled delivery exists',
    );
  });
});

everywhere("a value that its schema refuses", (it) => {
  it("is told where, as an input and as a delivery, and nothing is written", {
    workflows: [order],
  }, async ({ hephaestus }) => {
    await assertRejects(
      () => hephaestus.start(order, "one", any({ total: "much" })),
      InvalidValueError,
      'Cannot start with input of workflow "order": value',
    );
    assertEquals((await hephaestus.list()).items, []);
    const handle = await hephaestus.start(order, "one", { total: 1 });
    await assertRejects(
      () => hephaestus.resume(order, "one", approval.emit.approved({ by: "" })),
      InvalidValueError,
      'Cannot deliver output of event "approved" of signal "approval": value',
    );
    assertEquals(await hephaestus.history(order, { id: handle.id }), []);
    assertEquals(
      await hephaestus.resume(order, "one", approval.emit.approved({ by: "maria" })),
      "accepted",
    );
  });
});

const hostile = [
  `"; drop schema public; --`,
  "it's",
  "Orders",
  "a.b",
  "a b",
  "schéma",
  "select",
  "a,b",
  "%",
  "x".repeat(40),
];

describe("hostile names on PostgreSQL", () => {
  it("serve as schema and as queues, or are refused before anything is done", async () => {
    await using there = await database();
    for (const name of hostile) {
      const db = connect({ url: there.url, max: 1 });
      await migrate(db, { schema: name }).finally(() => db.close());
      const queued = step("queued", {
        events: { ok: type() },
        queue: name,
        run: ({ emit }) => emit.ok(),
      });
      const flow = workflow("flow", { key: "id", input: type(), start: queued })
        .on(queued, { ok: done })
        .build();
      await using hephaestus = new Hephaestus({
        url: there.url,
        schema: name,
        workflows: [flow],
        queues: { advance: name },
        inline: false,
        logger: silent,
        poolSize: 7,
      });
      const worker = hephaestus.work({ poll: "50ms", queues: { [name]: 2 } });
      await worker.ready;
      const handle = await hephaestus.start(flow, "one", undefined);
      assertEquals((await handle.result()).status, "completed", name);
    }
    const schemas = await there
      .sql`select nspname from pg_namespace where nspname = any (${hostile})`;
    assertEquals(schemas.length, hostile.length);
  });

  it("that cannot be are refused with a sentence", () => {
    for (const name of ["", "a\u0000b", "\ud800", "x".repeat(64), "pg_temp", "pg_catalog"]) {
      assertThrows(
        () => new Hephaestus({ url: "postgres://localhost/x", schema: name, workflows: [] }),
        TypeError,
        "Cannot use name",
      );
    }
    for (const queue of ["", "a\u0000b", "\ud800", "x".repeat(10_000)]) {
      assertThrows(
        () => step("queued", { events: { ok: type() }, queue, run: ({ emit }) => emit.ok() }),
        Error,
        'Cannot define step "queued"',
      );
    }
  });
});
