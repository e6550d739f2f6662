import { assertEquals, assertRejects } from "@std/assert";
import {
  AlreadyRunningError,
  done,
  FatalError,
  HephaestusError,
  NotCancellableError,
  NotWaitingError,
  signal,
  step,
  timer,
  type,
  undo,
  workflow,
} from "../../mod.ts";
import type { UndoContext } from "../../src/core/define/undo.ts";
import { eventually, everywhere, Gate } from "../everywhere.ts";

const said: string[] = [];
let keys: string[] = [];
let seen: Partial<UndoContext> = {};

const hold = step("hold", {
  events: { held: type<string>() },
  run: ({ emit, idempotencyKey }) => {
    keys = [idempotencyKey];
    return emit.held("h-1");
  },
  undo: {
    held(context) {
      said.push(`release ${context.output}`);
      seen = context;
    },
  },
});
let running = new Gate();
let going = new Gate();
const book = step("book", {
  needs: [hold.when("held")],
  events: { booked: type<string>() },
  async run({ steps, emit }) {
    running.open();
    await going.opened;
    return emit.booked(`b for ${steps.hold}`);
  },
  undo: {
    booked({ output, steps }) {
      said.push(`cancel ${output}, ${steps.hold}`);
      return Promise.resolve();
    },
  },
});
const charge = step("charge", {
  input: type<"decline" | "fail" | "wait">(),
  events: { declined: type(), waits: type() },
  run({ input, emit }) {
    if (input === "fail") throw new FatalError("The gateway is gone");
    return input === "wait" ? emit.waits() : emit.declined();
  },
});
const paid = signal("paid", { events: { yes: type() }, expires: "30d" });
const day = timer("day", "30d");
const input = type<"decline" | "fail" | "wait">();
const order = workflow("order", { key: "id", input, start: hold, undoOn: ["failed", "cancelled"] })
  .on(hold, { held: [book, charge] })
  .on(book, { booked: day })
  .on(day, { elapsed: done })
  .on(charge, { declined: undo, waits: paid })
  .on(paid, { yes: done, expired: undo })
  .build();

const unrelated = workflow("unrelated", { key: "id", input: type(), start: hold })
  .on(hold, { held: done })
  .build();

const story = (entries: readonly { step: string; activation: number; event: string }[]) =>
  entries.map(({ step, activation, event }) =>
    `${step}${activation === 1 ? "" : `#${activation}`} ${event}`
  );

everywhere("an instance that undoes", (it) => {
  const reset = () => {
    said.length = 0;
    running = new Gate();
    going = new Gate();
  };

  it("undoes what was done, after what it has caused", { workflows: [order] }, async (t) => {
    reset();
    going.open();
    await t.work();
    const events: unknown[] = [];
    t.hephaestus.on("workflow:undo", ({ reason }) => void events.push(reason));
    t.hephaestus.on("workflow:stop", ({ status }) => void events.push(status));

    const handle = await t.hephaestus.start(order, "a", "decline");

    const end = await handle.result();
    assertEquals([end.status, end.error, end.active], ["undone", undefined, []]);
    const reason = { status: "undone", step: "charge", event: "declined" };
    await eventually(() => Promise.resolve(events.length === 2), "listeners are told");
    assertEquals(events, [reason, "undone"]);
    assertEquals(said.at(-1), "release h-1");
    assertEquals(seen.reason, reason as UndoContext["reason"]);
    assertEquals([seen.event, seen.attempt, seen.input], ["held", 1, "decline"]);
    assertEquals(keys, [seen.stepIdempotencyKey]);
    assertEquals(seen.idempotencyKey, `${end.id}/~hold/1`);
    assertEquals((await t.jobs()).filter(({ kind }) => kind !== "advance"), []);
    const again = await t.hephaestus.start(order, "a", "decline");
    assertEquals((await again.result()).status, "undone");
  });

  it("lets a step end that can be undone, and withdraws the rest", {
    workflows: [order],
  }, async (t) => {
    reset();
    await t.work();
    const handle = await t.hephaestus.start(order, "a", "wait");
    await running.opened;
    const waits = async () =>
      (await t.hephaestus.get(order, "a"))?.active.includes("paid") === true;
    await eventually(waits, "it waits for the payment");

    await t.hephaestus.cancel(order, "a", { reason: "the customer left" });

    const now = await t.hephaestus.get(order, "a");
    assertEquals([now?.status, now?.active, now?.finishedAt], ["undoing", ["book"], undefined]);
    const late = await assertRejects(
      () => t.hephaestus.resume(order, "a", paid.emit.yes()),
      NotWaitingError,
    );
    assertEquals(
      late.message.split('a": ')[1],
      `signal "paid" is not waiting, instance is undoing`,
    );
    const twice = await assertRejects(() => t.hephaestus.cancel(order, "a"), NotCancellableError);
    assertEquals(twice.message, 'Cannot cancel order "id::a": instance is undoing');
    const taken = () => t.hephaestus.start(order, "a", "wait", { onConflict: "replace" });
    const refused = await assertRejects(taken, AlreadyRunningError);
    assertEquals([refused.status, refused.message.split('a": ')[1]], [
      "undoing",
      "the instance with this key undoes what its steps have done. Start again once it has ended",
    ]);
    assertEquals(said, []);

    going.open();
    const end = await handle.result();
    assertEquals([end.status, end.error?.message], [
      "cancelled",
      "The instance was cancelled: the customer left",
    ]);
    assertEquals(said, ["cancel b for h-1, h-1", "release h-1"]);
    assertEquals(story(await t.hephaestus.history(order, "a")), [
      "hold held",
      "charge waits",
      "paid __dropped__",
      "book booked",
      "~book undone",
      "~hold undone",
    ]);
  });

  it("begins at once when nothing is active any more that can be undone", {
    workflows: [order],
  }, async (t) => {
    reset();
    going.open();
    await t.work({ poll: "1h" });
    const handle = await t.hephaestus.start(order, "a", "wait");
    const waits = async () => (await t.hephaestus.get(order, "a"))?.status === "waiting";
    await eventually(waits, "only waits are left");

    await t.hephaestus.cancel(order, "a");

    assertEquals((await handle.result()).status, "cancelled");
    assertEquals(said, ["cancel b for h-1, h-1", "release h-1"]);
    assertEquals((await t.jobs()).filter(({ state }) => state !== "cancelled"), []);
  });

  it("is not cancelled where its code is missing", { workflows: [order] }, async (t) => {
    reset();
    await t.hephaestus.start(order, "a", "wait");

    const other = t.another({ workflows: [unrelated] });
    const { id } = (await t.hephaestus.get(order, "a"))!;
    const error = await assertRejects(() => other.cancel(order, { id }), HephaestusError);

    assertEquals([error.code, error.message], [
      "UNKNOWN_WORKFLOW",
      'Cannot cancel order "id::a": it undoes what its steps have done, and this process does not have ' +
      "the code of version 1. Cancel it in a process that works on it",
    ]);
    assertEquals((await t.hephaestus.get(order, "a"))?.status, "pending");
  });

  it("undoes before it fails, and keeps why it has failed", { workflows: [order] }, async (t) => {
    reset();
    going.open();
    await t.work();
    const events: string[] = [];
    t.hephaestus.on("workflow:undo", ({ reason }) => void events.push(`${reason.message}`));

    const handle = await t.hephaestus.start(order, "a", "fail");

    const end = await handle.result();
    assertEquals([end.status, end.error?.message], ["failed", "The gateway is gone"]);
    assertEquals(said.at(-1), "release h-1");
    assertEquals(events, ["The gateway is gone"]);
    assertEquals((await t.jobs()).filter(({ kind }) => kind !== "advance"), []);
  });
});
