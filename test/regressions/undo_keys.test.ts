import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, FatalError, Hephaestus, step, type, undo, workflow } from "../../mod.ts";
import { memory } from "../../src/testing/mod.ts";
import { onPostgres, silent } from "../everywhere.ts";

const broken = new Set<string>();
const used: string[] = [];
const undone: string[] = [];
const charge = step("charge", {
  events: { charged: type() },
  run({ idempotencyKey, emit }) {
    used.push(idempotencyKey);
    if (broken.has("charge")) throw new FatalError("The gateway does not answer");
    return emit.charged();
  },
  undo: {
    charged({ stepIdempotencyKey }) {
      undone.push(stepIdempotencyKey);
      if (broken.has("refund")) throw new FatalError("The gateway does not answer");
    },
  },
});
const hotel = step("hotel", {
  events: { booked: type(), none: type() },
  run({ emit }) {
    if (broken.has("hotel")) throw new FatalError("The hotel does not answer");
    return broken.has("full") ? emit.none() : emit.booked();
  },
});
const trip = workflow("trip", { key: "id", input: type(), start: charge })
  .on(charge, { charged: hotel })
  .on(hotel, { booked: done, none: undo })
  .build();

async function started(hephaestus: Hephaestus, ...faulty: string[]): Promise<string> {
  used.length = 0;
  undone.length = 0;
  breaks(...faulty);
  return (await (await hephaestus.start(trip, "a", undefined)).result()).status;
}

function breaks(...faulty: string[]): void {
  broken.clear();
  for (const name of faulty) broken.add(name);
}

async function ended(hephaestus: Hephaestus): Promise<string | undefined> {
  return (await (await hephaestus.handle(trip, "a"))?.result())?.status;
}

/** The keys without the instance. */
const ends = (keys: readonly string[]) => keys.map((key) => key.slice(key.indexOf("/") + 1));

async function retriedAndRewound(hephaestus: Hephaestus): Promise<void> {
  assertEquals(await started(hephaestus, "charge"), "failed");
  await hephaestus.retry(trip, "a");
  assertEquals(await ended(hephaestus), "failed");
  breaks("hotel");
  await hephaestus.retry(trip, "a");
  assertEquals(await ended(hephaestus), "failed");
  breaks("full");
  await hephaestus.rewind(trip, "a", { to: charge });

  assertEquals(await ended(hephaestus), "undone");
  assertEquals(ends(used), ["charge/1", "charge/1", "charge/1", "charge/4"]);
  assertEquals(undone.sort(), [used[0], used[3]]);
}

onPostgres("the key of a step for its undo", (it) => {
  it("is the one that the step has used", { workflows: [trip] }, async (t) => {
    await t.work();
    await retriedAndRewound(t.hephaestus);
  });
}, ["inline"]);

describe("the key of a step for its undo", () => {
  const engine = async () => {
    const hephaestus = new Hephaestus({ backend: memory(), workflows: [trip], logger: silent });
    await hephaestus.work().ready;
    return hephaestus;
  };

  it("is the one that the step has used, in memory too", async () => {
    await using hephaestus = await engine();
    await retriedAndRewound(hephaestus);
  });

  it("is that of the instance in which the step ran, in a fork of a fork too", async () => {
    await using hephaestus = await engine();
    assertEquals(await started(hephaestus, "charge"), "failed");
    breaks();
    await hephaestus.retry(trip, "a");
    assertEquals(await ended(hephaestus), "completed");
    const fork = await hephaestus.fork(trip, "a", { from: hotel, key: "b" });
    assertEquals((await fork.result()).status, "completed");
    const none = { event: "none", output: undefined } as const;
    const other = await hephaestus.fork(trip, "b", { from: hotel, key: "c", outcome: none });

    assertEquals((await other.result()).status, "undone");
    assertEquals([used, undone], [[used[0], used[0]], [used[0]]]);
  });

  it("is that of the instance in which the step ran, where that was deleted", async () => {
    await using hephaestus = await engine();
    assertEquals(await started(hephaestus), "completed");
    const fork = await hephaestus.fork(trip, "a", { from: hotel, key: "b" });
    assertEquals((await fork.result()).status, "completed");
    await hephaestus.deleteInstance(trip, "a");
    const none = { event: "none", output: undefined } as const;
    const other = await hephaestus.fork(trip, "b", { from: hotel, key: "c", outcome: none });

    assertEquals((await other.result()).status, "undone");
    assertEquals(undone, used);
  });

  it("stays where the undo is retried", async () => {
    await using hephaestus = await engine();
    assertEquals(await started(hephaestus, "charge"), "failed");
    breaks("full", "refund");
    await hephaestus.retry(trip, "a");
    assertEquals(await ended(hephaestus), "failed");
    breaks();
    await hephaestus.retry(trip, "a");

    assertEquals(await ended(hephaestus), "undone");
    assertEquals(undone, [used[0], used[0]]);
  });
});
