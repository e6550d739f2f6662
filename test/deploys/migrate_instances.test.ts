import { assertEquals } from "@std/assert";
import { done, join, step, type, versioned, workflow } from "../../mod.ts";
import { check, migrateInstances } from "../../src/postgres/mod.ts";
import { eventually, onPostgres, type PostgresWorld } from "../everywhere.ts";
import { assertSound } from "../invariants/story.ts";
import { article, left, onboarding, order, review, right, slow, trip } from "./versions.ts";

async function waiting({ hephaestus }: PostgresWorld, keys: readonly string[]) {
  for (const key of keys) await hephaestus.start(order, key, { n: 1 }, { version: 1 });
  const all = async () =>
    (await hephaestus.list(order, { status: "waiting" })).items.length === keys.length;
  await eventually(all, "all wait");
}

onPostgres("instances that are moved to another version", (it) => {
  it("continue with its graph, and the others are refused with the step", {
    workflows: [order],
  }, async (world) => {
    const { hephaestus, work, sql, url } = world;
    await work();
    await waiting(world, ["a", "b", "c"]);
    await hephaestus.resume(order, "b", right.emit.ok());
    const passed = async () => (await hephaestus.get(order, "b"))?.active.join() === "left";
    await eventually(passed, "right has ended");

    const dry = await migrateInstances({ url, workflow: order, from: 1, dryRun: true });
    assertEquals((await hephaestus.get(order, "a"))?.version, 1);
    const found = await migrateInstances({ url, workflow: order, from: 1 });
    const other = await migrateInstances({ url, workflow: order, from: 2, to: 3 });

    const refused = [{
      reason: 'version 2 would have started "pack" already',
      passes: false,
      instances: 1,
      keys: ["id::b"],
    }];
    assertEquals([dry, found], [{ moved: 2, refused }, { moved: 2, refused }]);
    assertEquals(other, {
      moved: 0,
      refused: [{
        reason: 'it is at "right", which version 3 does not have',
        passes: false,
        instances: 2,
        keys: ["id::a", "id::c"],
      }],
    });
    assertEquals((await hephaestus.get(order, "a"))?.version, 2);
    for (const key of ["a", "b", "c"]) {
      await hephaestus.resume(order, key, left.emit.ok());
      if (key !== "b") await hephaestus.resume(order, key, right.emit.ok());
      const handle = await hephaestus.handle(order, key);
      assertEquals((await handle?.result())?.status, "completed");
    }
    const steps = async (key: string) =>
      (await hephaestus.history(order, key)).map(({ step }) => step).sort();
    assertEquals(await steps("a"), ["audit", "fork", "last", "left", "pack", "right"]);
    assertEquals(await steps("b"), ["fork", "last", "left", "right"]);
    await assertSound(sql);
  });

  it(
    "are continued by a process that has only that version, with what came early or is scheduled",
    {
      workflows: [],
    },
    async ({ another, sql, url }) => {
      const [first, second] = [trip(1), trip(2)];
      const old = another({ workflows: [first] });
      const worker = old.work({ poll: "20ms" });
      const { id } = await old.start(first, "a", { n: 1 });
      await eventually(
        async () => (await old.get(first, "a"))?.active.join() === "left",
        "it waits",
      );
      await old.resume(first, "a", slow.emit.ok());
      await old.scheduleResume(first, "a", left.emit.ok(), { after: "1s" });
      const isKept = async () =>
        (await sql`select control -> 'early' as early from hephaestus.workflow_instances`)[0]
          ?.early?.[0] === "slow";
      await eventually(isKept, "a delivery is kept");
      await worker.stop();
      const left1 = await check({ url, workflows: [second] });

      const report = await migrateInstances({ url, workflow: second, from: 1 });

      assertEquals(report, { moved: 1, refused: [] });
      const left2 = await check({ url, workflows: [second] });
      assertEquals([left1.ok, left2.ok], [false, true]);
      assertEquals(left2.versions.map(({ verdict }) => verdict), ["safe"]);
      const newer = another({ workflows: [second] });
      await using _ = newer.work({ poll: "20ms" });
      const isOver = async () => (await newer.get(second, { id }))?.status === "completed";
      await eventually(isOver, "it is completed");
      assertEquals((await newer.history(second, { id })).at(-1)?.step, "pack");
      await assertSound(sql);
    },
  );

  it("stay while a step of them runs, and are moved afterwards", {
    workflows: [],
  }, async ({ another, url, sql }) => {
    let go = () => {};
    const goes = new Promise<void>((resolve) => go = resolve);
    let runs = false;
    const long = step("long", {
      events: { ok: type() },
      async run({ emit }) {
        runs = true;
        await goes;
        return emit.ok();
      },
    });
    const last = step("last", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
    const named = { key: "id", input: type(), start: long } as const;
    const begun = workflow("order", named).on(long, { ok: left });
    const before = begun.on(left, { ok: done }).build();
    const after = begun.on(left, { ok: last }).on(last, { ok: done }).build();
    const both = versioned("order", { versions: { 1: before, 2: after }, current: 2 });
    const engine = another({ workflows: [both] });
    await using _ = engine.work({ poll: "20ms" });
    const { id } = await engine.start(both, "a", undefined, { version: 1 });
    await eventually(() => runs, "it runs");

    const now = await migrateInstances({ url, workflow: both, from: 1 });
    go();
    const later = async () =>
      (await migrateInstances({ url, workflow: both, from: 1 })).moved === 1;
    await eventually(later, "it is moved");
    await engine.resume(both, "a", left.emit.ok());

    assertEquals(now, {
      moved: 0,
      refused: [{ reason: '"long" is running', passes: true, instances: 1, keys: ["id::a"] }],
    });
    assertEquals((await (await engine.handle(both, { id }))?.result())?.version, 2);
    const history = await engine.history(both, { id });
    assertEquals(history.map(({ step }) => step), ["long", "left", "last"]);
    await assertSound(sql);
  });

  it("see what their version sees, in a process that has cached them before", {
    workflows: [],
  }, async ({ another, url, sql }) => {
    const ok = { events: { ok: type() } };
    const work = step("work", { ...ok, run: ({ emit }) => emit.ok() });
    const [a, b] = [work.as("a"), work.as("b")];
    let failed = 0;
    const retry = { attempts: 1_000, base: "200ms", max: "200ms" } as const;
    const failing = step("x", {
      ...ok,
      retry,
      run() {
        failed++;
        throw new Error("not yet");
      },
    });
    const seeing = step("x", {
      sees: [b.outcome()],
      events: { ok: type<string>() },
      run: ({ seen, emit }) => emit.ok(seen.b?.event ?? "nothing"),
    });
    const named = { key: "id", input: type(), start: work } as const;
    const before = workflow("order", named).on(work, { ok: [a, b] })
      .on(a, { ok: failing }).on(b, { ok: done }).on(failing, { ok: done }).build();
    const after = workflow("order", named).on(work, { ok: [a, b] })
      .on(a, { ok: join(seeing) }).on(b, { ok: join(seeing) }).on(seeing, { ok: done }).build();
    const both = versioned("order", { versions: { 1: before, 2: after }, current: 2 });
    const engine = another({ workflows: [both] });
    await using _ = engine.work({ poll: "20ms" });
    const { id } = await engine.start(both, "a", undefined, { version: 1 });
    const hasEnded = async () =>
      (await engine.history(both, { id })).some(({ step }) => step === "b");
    await eventually(async () => failed > 1 && await hasEnded(), "it is being retried");

    const move = () => migrateInstances({ url, workflow: both, from: 1 });
    await eventually(async () => (await move()).moved === 1, "it is moved");

    assertEquals((await (await engine.handle(both, { id }))?.result())?.status, "completed");
    const seen = (await engine.history(both, { id })).find(({ step }) => step === "x");
    assertEquals(seen?.output, "ok");
    await assertSound(sql);
  });

  it("are moved in a round of a loop, if the version has as many", {
    workflows: [article],
  }, async ({ hephaestus, work, url, sql }) => {
    await work({ poll: "20ms" });
    const { id } = await hephaestus.start(article, "a", { n: 1 }, { version: 1 });
    for (const round of [1, 2, 3]) {
      const waits = async () =>
        (await hephaestus.get(article, { id }))?.status === "waiting" &&
        (await hephaestus.history(article, { id })).at(-1)?.activation === round;
      await eventually(waits, `round ${round} waits`);
      if (round < 3) await hephaestus.resume(article, { id }, review.emit.no());
    }

    const few = await migrateInstances({ url, workflow: article, from: 1, to: 3 });
    const more = await migrateInstances({ url, workflow: article, from: 1, to: 2 });
    await hephaestus.resume(article, { id }, review.emit.yes());

    assertEquals([few.moved, more.moved], [0, 1]);
    assertEquals(
      few.refused[0]?.reason,
      '"fork#3" has ended, which it would not have in version 3',
    );
    const handle = await hephaestus.handle(article, { id });
    assertEquals((await handle?.result())?.status, "completed");
    await assertSound(sql);
  });

  it("are moved after a branch was dropped", {
    workflows: [onboarding],
  }, async ({ hephaestus, work, url, sql }) => {
    await work({ poll: "20ms" });
    const { id } = await hephaestus.start(onboarding, "a", { n: 1 }, { version: 1 });
    await hephaestus.resume(onboarding, { id }, left.emit.ok());
    const waits = async () => (await hephaestus.get(onboarding, { id }))?.active.join() === "slow";
    await eventually(waits, "it has dropped the reminder");

    const report = await migrateInstances({ url, workflow: onboarding, from: 1 });
    await hephaestus.resume(onboarding, { id }, slow.emit.ok());

    assertEquals(report, { moved: 1, refused: [] });
    const handle = await hephaestus.handle(onboarding, { id });
    assertEquals((await handle?.result())?.status, "completed");
    assertEquals((await hephaestus.history(onboarding, { id })).at(-1)?.step, "last");
    await assertSound(sql);
  });
});
