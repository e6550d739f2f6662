import { assertEquals, assertRejects } from "@std/assert";
import {
  done,
  InstanceNotFoundError,
  join,
  NotCancellableError,
  signal,
  step,
  timer,
  type,
  workflow,
} from "../../mod.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

everywhere("a cancelled instance", (it) => {
  let gate = new Gate();
  const began: string[] = [];
  const aborted: string[] = [];
  const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const running = step("running", {
    events: { ok: type() },
    async run({ emit, abortSignal }) {
      began.push("running");
      abortSignal.addEventListener("abort", () => aborted.push(abortSignal.reason.message));
      await gate.opened;
      return emit.ok();
    },
  });
  const wait = signal("wait", { events: { given: type() }, expires: "1h" });
  const nap = timer("nap", "1h");
  const later = step("later", {
    events: { ok: type() },
    run({ emit }) {
      began.push("later");
      return emit.ok();
    },
  });
  const flow = workflow("flow", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [running, wait, nap] })
    .on(running, { ok: join(later) })
    .on(wait, { given: join(later), expired: join(later) })
    .on(nap, { elapsed: join(later) })
    .on(later, { ok: done })
    .build();
  const fresh = () => {
    gate = new Gate();
    began.length = 0;
    aborted.length = 0;
  };

  it("is final: its jobs are cancelled, its running step aborted, its late result ignored", {
    workflows: [flow],
  }, async ({ hephaestus, work, jobs }) => {
    fresh();
    // The heartbeat would abort it too.
    await work({ heartbeat: "1h", lease: "3h" });
    const handle = await hephaestus.start(flow, "a", undefined);
    await eventually(() => began.length === 1, "the step runs");

    await hephaestus.cancel(flow, "a", { reason: "the customer called" });

    const { status, active, error, finishedAt } = await handle.result();
    assertEquals([status, active], ["cancelled", []]);
    assertEquals(error?.message, "The instance was cancelled: the customer called");
    assertEquals(finishedAt instanceof Date, true);
    await eventually(() => aborted.length === 1, "the running step is aborted");
    gate.open();
    const again = await hephaestus.start(flow, "b", undefined);
    await eventually(() => began.length === 2, "the next instance runs");
    await hephaestus.cancel(flow, { id: again.id });
    assertEquals(began, ["running", "running"]);
    assertEquals((await hephaestus.history(flow, "a")).map(({ step }) => step), ["fork"]);
    const left = (await jobs()).filter(({ kind, instance }) =>
      kind !== "advance" && [handle.id, again.id].includes(instance)
    );
    assertEquals(
      left.filter(({ instance }) => instance === handle.id).map(({ step }) => step).sort(),
      ["nap", "running", "wait"],
    );
    assertEquals([...new Set(left.map(({ state }) => state))], ["cancelled"]);
  });

  it("by another process is aborted where it runs", { workflows: [flow] }, async ({
    hephaestus,
    work,
    another,
  }) => {
    fresh();
    const other = another();
    await work({ heartbeat: "50ms", lease: "10s" });
    const handle = await hephaestus.start(flow, "a", undefined);
    await eventually(() => began.length === 1, "the step runs");

    await other.cancel(flow, { id: handle.id });

    await eventually(() => aborted.length === 1, "the running step is aborted");
    assertEquals((await handle.result()).status, "cancelled");
  });

  it("cannot be cancelled again, nor can one that never was", { workflows: [flow] }, async ({
    hephaestus,
  }) => {
    const { id } = await hephaestus.start(flow, "a", undefined);

    await hephaestus.cancel(flow, "a");

    const again = await assertRejects(
      () => hephaestus.cancel(flow, { id }),
      NotCancellableError,
    );
    assertEquals(again.message, 'Cannot cancel flow "id::a": instance is cancelled');
    await assertRejects(() => hephaestus.cancel(flow, "nobody"), InstanceNotFoundError);
  });
});
