import { assertEquals, assertRejects } from "@std/assert";
import {
  AlreadyRunningError,
  done,
  GraphChangedError,
  signal,
  type,
  UnknownWorkflowError,
  versioned,
  workflow,
} from "../../mod.ts";
import { migrateInstances } from "../../src/postgres/mod.ts";
import { onPostgres } from "../everywhere.ts";
import { left, order, replaced } from "./versions.ts";

onPostgres("which instances are moved to another version", (it) => {
  it("are not those whose stored values do not pass the schemas of the version", {
    workflows: [],
  }, async ({ another, url }) => {
    const atLeast = (least: number) => ({
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          (value as { n: number }).n >= least
            ? { value: value as { n: number } }
            : { issues: [{ message: `n is below ${least}` }] },
      },
    });
    const flow = (version: number, least: number) =>
      workflow("order", { key: "id", input: atLeast(least), start: left, version })
        .on(left, { ok: done })
        .build();
    const engine = another({ workflows: [flow(1, 0)] });
    await engine.start(flow(1, 0), "few", { n: 1 });
    await engine.start(flow(1, 0), "many", { n: 9 });

    const report = await migrateInstances({ url, workflow: flow(2, 5), from: 1 });

    assertEquals(report, {
      moved: 1,
      refused: [{
        reason: "its input is not what the schema in version 2 expects (n is below 5)",
        passes: false,
        instances: 1,
        keys: ["id::few"],
      }],
    });
  });

  it("are not those whose key another instance of the version has", {
    workflows: [],
  }, async ({ another, url }) => {
    const wait = signal("wait", { events: { ok: type() } });
    const named = { key: "id", input: type(), start: wait, scope: "version" } as const;
    const flow = workflow("order", named).on(wait, { ok: done }).build();
    const both = versioned("order", { versions: { 1: flow, 2: flow }, current: 2 });
    const engine = another({ workflows: [both] });
    for (const key of ["a", "b"]) await engine.start(both, key, undefined, { version: 1 });
    await engine.start(both, "a", undefined, { version: 2 });

    const report = await migrateInstances({ url, workflow: both, from: 1 });

    assertEquals([report.moved, report.refused.length], [1, 1]);
    assertEquals(
      report.refused[0]?.reason,
      "its key is taken by another instance of version 2",
    );
    await assertRejects(() => engine.start(both, "b", undefined), AlreadyRunningError);
  });

  it("is chosen by key and by number, and mistakes are refused before anything is written", {
    workflows: [order],
  }, async ({ hephaestus, url }) => {
    for (const key of ["a", "b", "c"]) await hephaestus.start(order, key, { n: 1 }, { version: 1 });
    const of = { url, workflow: order, from: 1 };

    assertEquals((await migrateInstances({ ...of, keys: ["b", "nobody"] })).moved, 1);
    assertEquals((await migrateInstances({ ...of, limit: 1 })).moved, 1);
    const cases = [
      [{ ...of, to: 9 }, UnknownWorkflowError],
      [{ ...of, to: 1 }, TypeError],
      [{ ...of, from: 0 }, TypeError],
      [{ ...of, limit: 0 }, RangeError],
      [{ ...of, workflow: undefined as never }, TypeError],
      [{ ...of, dryrun: true } as never, TypeError],
      [{ ...of, keys: ["a::b"] }, TypeError],
    ] as const;
    for (const [options, expected] of cases) {
      await assertRejects(() => migrateInstances(options), expected);
    }
    const changed = versioned("order", { versions: { 2: replaced }, current: 2 });
    await assertRejects(
      () => migrateInstances({ url, workflow: changed, from: 1 }),
      GraphChangedError,
      "Cannot migrate instances to workflow",
    );
  });
});
