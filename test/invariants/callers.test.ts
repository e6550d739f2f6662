import { assertEquals, assertRejects } from "@std/assert";
import { done, signal, step, type, workflow } from "../../mod.ts";
import { eventually } from "../everywhere.ts";
import { onPostgresBackend } from "./backends.ts";
import { assertSound } from "./story.ts";

const greet = step("greet", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const approval = signal("approval", { events: { approved: type() } });
const last = step("last", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const order = workflow("order", { key: "id", input: type(), start: greet })
  .on(greet, { ok: approval })
  .on(approval, { approved: last })
  .on(last, { ok: done })
  .build();
const short = workflow("short", { key: "id", input: type(), start: greet })
  .on(greet, { ok: done })
  .build();
const options = { workflows: [order, short] };

class Rollback extends Error {}

onPostgresBackend("a start in the caller's transaction", (it) => {
  it("leaves nothing behind when the transaction is rolled back", options, async (bench) => {
    const { hephaestus, work, sql } = bench;
    await work();

    await assertRejects(
      () =>
        sql.begin(async (tx) => {
          await hephaestus.start(short, "gone", undefined, { tx });
          throw new Rollback();
        }),
      Rollback,
    );

    assertEquals(await hephaestus.get(short, "gone"), undefined);
    assertEquals((await sql`select from hephaestus.jobs`).length, 0);
    const handle = await hephaestus.start(short, "gone", undefined);
    assertEquals((await handle.result()).status, "completed");
  });

  it("begins with the commit, and nobody sees it before", options, async (bench) => {
    const { hephaestus, work, sql } = bench;
    await work();

    const handle = await sql.begin(async (tx) => {
      const handle = await hephaestus.start(short, "kept", undefined, { tx });
      assertEquals(await hephaestus.get(short, "kept"), undefined);
      return handle;
    });

    assertEquals((await handle.result()).status, "completed");
  });
});

onPostgresBackend("an open transaction of the caller's", (it) => {
  it("that holds an instance does not keep others from moving", options, async (bench) => {
    const { hephaestus, work, sql } = bench;
    await work();
    // More than there are lanes: one that waits would leave the others to the rest.
    const held = await Promise.all(
      ["held-1", "held-2", "held-3"].map((key) => hephaestus.start(order, key, undefined)),
    );
    const waiting = async () =>
      (await hephaestus.list(order, { status: "waiting" })).items.length === 3;
    await eventually(waiting, "they wait");

    await sql.begin(async (tx) => {
      const ids = held.map(({ id }) => id);
      await tx`select from hephaestus.workflow_instances where id = any (${ids}) for update`;
      for (const { id } of held) await hephaestus.resume(order, { id }, approval.emit.approved());
      const others = await Promise.all(
        Array.from({ length: 10 }, (_, n) => hephaestus.start(short, `n${n}`, undefined)),
      );
      for (const other of others) assertEquals((await other.result()).status, "completed");
      assertEquals(await waiting(), true);
    });

    for (const handle of held) assertEquals((await handle.result()).status, "completed");
    await assertSound(sql);
  });

  it(
    "that starts, resumes and cancels does not keep others from moving",
    options,
    async (bench) => {
      const { hephaestus, work, sql } = bench;
      await work();
      const [resumed, cancelled] = [
        await hephaestus.start(order, "resumed", undefined),
        await hephaestus.start(order, "cancelled", undefined),
      ];
      await eventually(
        async () => (await hephaestus.list(order, { status: "waiting" })).items.length === 2,
        "both wait",
      );

      const started = await sql.begin(async (tx) => {
        const started = await hephaestus.start(short, "started", undefined, { tx });
        assertEquals(
          await hephaestus.resume(order, "resumed", approval.emit.approved(), { tx }),
          "accepted",
        );
        await hephaestus.cancel(order, "cancelled", { tx });
        const other = await hephaestus.start(short, "other", undefined);
        assertEquals((await other.result()).status, "completed");
        assertEquals((await hephaestus.list(order, { status: "waiting" })).items.length, 2);
        return started;
      });

      assertEquals((await started.result()).status, "completed");
      assertEquals((await resumed.result()).status, "completed");
      assertEquals((await cancelled.result()).status, "cancelled");
      await assertSound(sql);
    },
  );
});

onPostgresBackend("a resume and a cancel in the caller's transaction", (it) => {
  it("have not happened when it is rolled back", options, async (bench) => {
    const { hephaestus, work, sql } = bench;
    await work();
    const handle = await hephaestus.start(order, "one", undefined);
    await eventually(
      async () => (await hephaestus.get(order, "one"))?.status === "waiting",
      "it waits",
    );

    for (
      const action of [
        (tx: typeof sql) => hephaestus.resume(order, "one", approval.emit.approved(), { tx }),
        (tx: typeof sql) => hephaestus.cancel(order, "one", { tx }),
      ]
    ) {
      await assertRejects(
        () =>
          sql.begin(async (tx) => {
            await action(tx as never);
            throw new Rollback();
          }),
        Rollback,
      );
    }

    assertEquals((await hephaestus.get(order, { id: handle.id }))?.status, "waiting");
    assertEquals(await hephaestus.resume(order, "one", approval.emit.approved()), "accepted");
    assertEquals((await handle.result()).status, "completed");
  });
});
