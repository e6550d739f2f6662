import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  again,
  choice,
  done,
  FatalError,
  InstanceNotFoundError,
  NotCompletedError,
  signal,
  step,
  type,
  workflow,
} from "../../mod.ts";
import { eventually } from "../everywhere.ts";
import { onBackends } from "./backends.ts";

type Order = "ship" | "break" | "none";
const label = z.object({ label: z.string(), copies: z.number().default(1) });
const ship = step("ship", {
  input: type<Order>(),
  events: { shipped: label },
  run({ input, emit }) {
    if (input === "break") throw new FatalError("The printer is on fire");
    return emit.shipped({ label: "l-1" });
  },
});
const review = signal("review", { events: { seen: type<number>() } });
const pick = choice("pick", {
  input: type<Order>(),
  events: { some: type(), none: type<{ why: string }>() },
  decide: ({ input, emit }) => input === "none" ? emit.none({ why: "empty" }) : emit.some(),
});
const order = workflow("order", { key: "id", input: type<Order>(), start: pick })
  .on(pick, { some: [ship, review], none: done })
  .on(ship, { shipped: done })
  .on(review, { seen: done })
  .returns({ shipped: ship.when("shipped"), empty: pick.when("none") })
  .build();

const count = step("count", {
  rounds: type<number>(),
  events: { more: type<number>() },
  run: ({ rounds, emit }) => emit.more(rounds.length + 1),
});
const counting = workflow("counting", { key: "id", input: type(), start: count })
  .on(count, { more: again(count, { limit: 3, then: done }) })
  .returns({ counted: count.when("more") })
  .build();

const workflows = [order, counting];
const sent = { label: "l-1", copies: 1 };

onBackends("what a workflow returns", (it) => {
  it("is in the result, with the output of its event", { workflows }, async (bench) => {
    const { hephaestus, another, work } = bench;
    const ends: (string | undefined)[] = [];
    hephaestus.on("workflow:stop", ({ outcome }) => void ends.push(outcome));
    await work();
    const handle = await hephaestus.start(order, "one", "ship");
    const elsewhere = another();
    const early = (await elsewhere.handle(order, "one"))!.result();
    const late = handle.output();
    await hephaestus.resume(order, "one", review.emit.seen(5));

    const results = [
      await handle.result(),
      await early,
      await (await elsewhere.handle(order, "one"))!.result(),
      await (await hephaestus.handle(order, "one"))!.result(),
    ];

    for (const { status, outcome, output } of results) {
      assertEquals([status, outcome, output], ["completed", "shipped", sent]);
    }
    assertEquals(results.slice(1), results.slice(1).map(() => results[0]!));
    assertEquals(await late, sent);
    assertEquals(ends, ["shipped"]);
    assert(!("outcome" in (await hephaestus.get(order, "one"))!));
  });

  it("is there where another process has run the step", { workflows }, async (bench) => {
    const { hephaestus, another, work } = bench;
    const worker = await work();
    await hephaestus.start(order, "one", "ship");
    const isShipped = async () => (await hephaestus.get(order, "one"))?.active.join() === "review";
    await eventually(isShipped, "the step has run");
    await worker.stop();
    const other = another();
    await using _worker = other.work({ poll: "50ms" });
    const result = (await other.handle(order, "one"))!.result();
    await other.resume(order, "one", review.emit.seen(5));

    const { outcome, output } = await result;

    assertEquals([outcome, output], ["shipped", sent]);
  });

  it("may end in the first turn", { workflows }, async ({ hephaestus }) => {
    const handle = await hephaestus.start(order, "one", "none");

    const { outcome, output } = await handle.result();

    assertEquals([outcome, output], ["empty", { why: "empty" }]);
    assertEquals(await handle.output(), { why: "empty" });
  });

  it("is what the last round of a loop returns", { workflows }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(counting, "one", undefined);

    assertEquals(await handle.output(), 3);
    const { outcome, output } = await handle.result();
    assertEquals([outcome, output], ["counted", 3]);
  });

  it("is nothing where the instance has not completed", { workflows }, async (bench) => {
    const { hephaestus, work } = bench;
    const broken = await hephaestus.start(order, "broken", "break");
    const dropped = await hephaestus.start(order, "dropped", "ship");
    await hephaestus.cancel(order, "dropped", { reason: "the customer left" });
    await work();

    const failed = await assertRejects(() => broken.output(), NotCompletedError);
    const cancelled = await assertRejects(() => dropped.output(), NotCompletedError);

    assertEquals(
      failed.message,
      `Cannot read the output of order "id::broken": instance "${broken.id}" is failed (The printer is on fire). Only completed instances have one: use result() to handle other ends`,
    );
    assertEquals([failed.code, failed.status, failed.id], ["NOT_COMPLETED", "failed", broken.id]);
    assertEquals(failed.failure?.message, "The printer is on fire");
    assertEquals(cancelled.status, "cancelled");
    assertEquals(
      cancelled.failure?.message,
      "The instance was cancelled: the customer left",
    );
    const result = await broken.result();
    assert(result.outcome === undefined && !("output" in result));
    await hephaestus.deleteInstance(order, "broken");
    await assertRejects(() => broken.output(), InstanceNotFoundError);
  });
});
