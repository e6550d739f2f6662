import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { child, done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { childId } from "../../src/core/child/identity.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { eventually, onPostgres, silent } from "../everywhere.ts";
import { confirmed, hurried, order, refunds, workflows } from "./workflows.ts";

describe("a child with a deadline", () => {
  it("fails at it, and so does its step", async () => {
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    const backend = memory({ clock });
    await using hephaestus = new Hephaestus({ backend, workflows, logger: silent });
    await using _worker = hephaestus.work();
    const handle = await hephaestus.start(hurried, "a", "wait");
    await clock.run("1h");

    assertEquals((await handle.result()).status, "completed");
    const { items: [one] } = await hephaestus.list(refunds, { parent: handle.id });
    assertEquals([one?.status, one?.error?.code], ["failed", "DEADLINE"]);
    assertEquals(one?.finishedAt, new Date(Date.UTC(2026, 0, 1, 0, 10)));
    const output = String((await hephaestus.history(hurried, "a")).at(-1)?.output);
    assert(
      output.startsWith(`DEADLINE: Cannot finish step "limited": its child refund "fixed"`),
      output,
    );
  });
});

const leaf = step("leaf", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const bottom = workflow("level0", { key: "id", input: type(), start: leaf }).on(leaf, { ok: done })
  .build();
const levels = [bottom];
for (let level = 1; level <= 4; level++) {
  const next = child("next", levels.at(-1)!, { with: () => undefined, depth: 3 });
  levels.push(
    workflow(`level${level}`, { key: "id", input: type(), start: next })
      .on(next, { completed: done })
      .build() as never,
  );
}
const broken = child("broken", bottom, {
  with: () => {
    throw new Error("No input today");
  },
});
const asked = step("asked", {
  needs: [broken.when("failed")],
  events: { ok: type<string>() },
  run: ({ steps, emit }) =>
    emit.ok(`${steps.broken.attempts} ${steps.broken.code}: ${steps.broken.message}`),
});
const breaking = workflow("breaking", { key: "id", input: type(), start: broken })
  .on(broken, { completed: done, failed: asked })
  .on(asked, { ok: done })
  .build();

describe("the start of a child", () => {
  it("is refused below too many ancestors", async () => {
    await using hephaestus = new Hephaestus({
      backend: memory(),
      workflows: levels,
      logger: silent,
    });
    await using _worker = hephaestus.work();
    assertEquals(
      (await (await hephaestus.start(levels[3]!, "a", undefined)).result()).status,
      "completed",
    );
    const { status, error } = await (await hephaestus.start(levels[4]!, "a", undefined)).result();
    assertEquals([status, error?.code], ["failed", "CHILD_FAILED"]);
    const causes: (string | undefined)[] = [];
    for (let cause = error; cause; cause = cause.cause) causes.push(cause.code);
    assertEquals(causes, ["CHILD_FAILED", "CHILD_FAILED", "CHILD_FAILED", "CHILD_TOO_DEEP"]);
  });

  it("is all that ends its step", async () => {
    await using hephaestus = new Hephaestus({ backend: memory(), workflows, logger: silent });
    await hephaestus.start(order, "a", "wait");
    const forged = { step: "refund", event: "refused", output: undefined };
    const error = await assertRejects(
      () => hephaestus.resume(order, "a", forged as never),
      TypeError,
    );
    assertEquals(
      error.message,
      'Cannot deliver to workflow "order": step "refund" is ended by its child',
    );
    const { unlimited, unhandled } = simulate(order);
    assertEquals([unlimited, unhandled], [[], ["told", "asked"]]);
  });

  it("fails at once if its input cannot be made", async () => {
    await using hephaestus = new Hephaestus({
      backend: memory(),
      workflows: [bottom, breaking],
      logger: silent,
    });
    await using _worker = hephaestus.work();
    assertEquals(
      (await (await hephaestus.start(breaking, "a", undefined)).result()).status,
      "completed",
    );
    assertEquals(
      (await hephaestus.history(breaking, "a")).at(-1)?.output,
      '1 INVALID_CHILD: Cannot start the child of step "broken": no input today',
    );
  });
});

onPostgres("a parent and its child", (it) => {
  it("agree when one is cancelled while the other starts", { workflows }, async (world) => {
    const { hephaestus, sql, work } = world;
    await using other = world.another();
    const worker = other.work({ poll: "20ms" });
    await worker.ready;
    await work({ poll: "20ms" });
    const started = await hephaestus.startMany(
      order,
      Array.from({ length: 6 }, (_, at) => ({ key: `k${at}`, input: "wait" as const })),
    );
    for (const { id } of started) await hephaestus.cancel(order, { id }).catch(() => {});
    const open = async () =>
      (await sql`select from hephaestus.workflow_instances where finished_at is null`).length;
    await eventually(async () => (await open()) === 0, "no child goes on without its parent");
    const children = await sql<{ status: string }[]>`
      select status from hephaestus.workflow_instances where parent_id is not null`;
    for (const { status } of children) assertEquals(status, "cancelled");
    const jobs =
      await sql`select from hephaestus.jobs where state not in ('cancelled', 'discarded')`;
    assertEquals(jobs.length, 0);
  });

  it("may run in processes that do not know each other's code", {
    workflows: [order],
  }, async (world) => {
    const { hephaestus, work } = world;
    await work();
    const handle = await hephaestus.start(order, "a", "wait");
    await eventually(
      async () => (await hephaestus.list({ parent: handle.id })).items.length > 0,
      "it starts",
    );
    const other = world.another({ workflows: [refunds] });
    await other.work({ poll: "20ms" }).ready;
    const { items: [child] } = await other.list(refunds, { parent: handle.id });
    await other.resume(refunds, { id: child!.id }, confirmed.emit.yes("maria"));

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(order, "a"))[1]?.output, "maria");
  });

  it("do not start anything twice", { workflows }, async ({ hephaestus, sql, work }) => {
    const handle = await hephaestus.start(order, "a", "wait");
    await work();
    const parent = handle.id;
    const id = childId({ instance: parent, step: "refund", activation: 1 });
    await eventually(
      async () => (await hephaestus.get(refunds, { id })) !== undefined,
      "it starts",
    );
    // The job that has started it is there again, as after a lost answer.
    await sql`insert into hephaestus.jobs (instance_id, workflow, workflow_version, kind, state, queue, step, max_attempts)
      values (${parent}, 'order', 1, 'execute', 'available', 'default', 'refund', 5)`;
    await eventually(
      async () => (await sql`select from hephaestus.jobs where kind = 'execute'`).length === 0,
      "the job ends",
    );
    const rows = await sql`select from hephaestus.workflow_instances where parent_id = ${parent}`;
    assertEquals(rows.length, 1);
    assertEquals((await hephaestus.get(order, "a"))?.status, "waiting");
  });
}, ["inline"]);
