import { assertEquals, assertRejects } from "@std/assert";
import {
  done,
  InstanceNotFoundError,
  NotDeletableError,
  signal,
  step,
  type,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, Gate, onPostgres } from "../everywhere.ts";

const wait = signal("wait", { events: { given: type() } });
const waiting = workflow("order", { key: "orderid", input: type(), start: wait })
  .on(wait, { given: done })
  .build();

everywhere("a deleted instance", (it) => {
  let gate = new Gate();
  const began: string[] = [];
  const aborted: string[] = [];
  const hold = step("hold", {
    events: { ok: type() },
    async run({ emit, instance, abortSignal }) {
      began.push(instance.key);
      abortSignal.addEventListener("abort", () => aborted.push(abortSignal.reason.message));
      await gate.opened;
      return emit.ok();
    },
  });
  const last = step("last", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const flow = workflow("flow", { key: "id", input: type(), start: hold })
    .on(hold, { ok: last })
    .on(last, { ok: done })
    .build();
  const fresh = () => {
    gate = new Gate();
    began.length = 0;
    aborted.length = 0;
  };

  it("is gone with its history, and its key can be started again", {
    workflows: [flow],
  }, async ({ hephaestus, work, sql }) => {
    fresh();
    gate.open();
    await work();
    const first = await hephaestus.start(flow, "a", undefined);
    await first.result();

    await hephaestus.deleteInstance(flow, "a");

    assertEquals(await hephaestus.get(flow, "a"), undefined);
    await assertRejects(() => hephaestus.history(flow, { id: first.id }), InstanceNotFoundError);
    await assertRejects(() => first.result(), InstanceNotFoundError);
    const error = await assertRejects(
      () => hephaestus.deleteInstance(flow, "a"),
      InstanceNotFoundError,
    );
    assertEquals(error.message, 'Cannot delete flow "id::a": no such instance exists');
    const again = await hephaestus.start(flow, "a", undefined);
    assertEquals((await again.result()).status, "completed");
    if (sql === undefined) return;
    const left = await sql`select distinct instance_id from hephaestus.step_results`;
    assertEquals(left.map((row) => row.instance_id), [again.id]);
  });

  it("was active only with force: without it a sentence says what to do", {
    workflows: [waiting],
  }, async ({ hephaestus }) => {
    await hephaestus.start(waiting, "abc123", undefined);

    const error = await assertRejects(
      () => hephaestus.deleteInstance(waiting, "abc123"),
      NotDeletableError,
    );

    assertEquals(
      error.message,
      'Cannot delete order "orderid::abc123": instance is waiting. Cancel it first, or pass force',
    );
    assertEquals([error.code, error.status], ["NOT_DELETABLE", "waiting"]);
    assertEquals((await hephaestus.get(waiting, "abc123"))?.status, "waiting");
    await hephaestus.cancel(waiting, "abc123");
    await hephaestus.deleteInstance(waiting, "abc123");
    assertEquals(await hephaestus.get(waiting, "abc123"), undefined);
  });

  it("is aborted where it runs, its late result changes nothing, and who waits for it is told", {
    workflows: [flow],
  }, async ({ hephaestus, work, jobs, sql }) => {
    fresh();
    const stops: string[] = [];
    hephaestus.on("workflow:stop", ({ key, status }) => void stops.push(`${key} ${status}`));
    // The heartbeat would abort it too.
    await work({ heartbeat: "1h", lease: "3h" });
    const first = await hephaestus.start(flow, "a", undefined);
    const result = assertRejects(() => first.result(), InstanceNotFoundError);
    await eventually(() => began.length === 1, "the step runs");

    await hephaestus.deleteInstance(flow, "a", { force: true });

    await result;
    await eventually(() => aborted.length === 1, "the running step is aborted");
    assertEquals(aborted, ["The instance was deleted"]);
    assertEquals(stops, ["id::a cancelled"]);
    const again = await hephaestus.start(flow, "a", undefined);
    gate.open();
    assertEquals((await again.result()).status, "completed");
    assertEquals((await hephaestus.list(flow)).items.map(({ id }) => id), [again.id]);
    assertEquals(await jobs(), []);
    if (sql === undefined) return;
    const left = await sql`select distinct instance_id from hephaestus.step_results`;
    assertEquals(left.map((row) => row.instance_id), [again.id]);
  });

  it("by another process is aborted where it runs, and who waits there is told", {
    workflows: [flow],
  }, async ({ hephaestus, work, another }) => {
    fresh();
    await work({ heartbeat: "50ms", lease: "10s" });
    const handle = await hephaestus.start(flow, "a", undefined);
    const result = assertRejects(() => handle.result(), InstanceNotFoundError);
    await eventually(() => began.length === 1, "the step runs");

    await another().deleteInstance(flow, { id: handle.id }, { force: true });

    await eventually(() => aborted.length === 1, "the running step is aborted");
    await result;
    gate.open();
  });
});

onPostgres("an instance that is deleted in a caller's transaction", (it) => {
  it("is deleted when that commits, and stays when it is rolled back", {
    workflows: [waiting],
  }, async ({ hephaestus, sql }) => {
    const { id } = await hephaestus.start(waiting, "a", undefined);
    await hephaestus.resume(waiting, "a", wait.emit.given());

    await assertRejects(
      () =>
        sql.begin(async (tx) => {
          await hephaestus.deleteInstance(waiting, "a", { force: true, tx });
          throw new Error("Changed my mind");
        }),
      Error,
      "Changed my mind",
    );

    assertEquals((await hephaestus.get(waiting, "a"))?.id, id);
    assertEquals((await hephaestus.history(waiting, "a")).length, 1);

    await sql.begin(async (tx) => {
      await assertRejects(
        () => hephaestus.deleteInstance(waiting, "a", { tx }),
        NotDeletableError,
      );
      await hephaestus.deleteInstance(waiting, "a", { force: true, tx });
      await hephaestus.start(waiting, "a", undefined, { tx });
    });

    const { items } = await hephaestus.list(waiting);
    assertEquals(items.map((item) => item.id === id), [false]);
    const left = await sql`select from hephaestus.step_results where instance_id = ${id}
      union all select from hephaestus.jobs where instance_id = ${id}`;
    assertEquals(left.length, 0);
  });
}, ["inline"]);
