import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { done, Hephaestus, HephaestusError, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, keeping, silent } from "../../everywhere.ts";
import { migrated } from "../../pg.ts";
import { proxy } from "../../proxy.ts";
import { slowClaims } from "../slow_claims.ts";

let runs = 0;
const act = step("act", {
  input: type<{ readonly hangs: boolean }>(),
  events: { ok: type() },
  async run({ input, emit }) {
    runs++;
    if (input.hangs) await new Promise(() => {});
    return emit.ok();
  },
});
const simple = workflow("simple", {
  key: "id",
  input: type<{ readonly hangs: boolean }>(),
  start: act,
}).on(act, { ok: done }).build();
const workflows = [simple];

/** Fails long before the deadlines of statements, and long after what a busy machine takes. */
async function soon(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it does not end")), 25_000);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

describe("a database that does not answer any more", () => {
  for (const hangs of [false, true]) {
    it(`is not waited for by a worker that stops (a step runs: ${hangs})`, async () => {
      await using there = await migrated();
      await using road = await proxy(there.url);
      const logger = keeping();
      await using hephaestus = new Hephaestus({ url: road.url, workflows, logger });
      const worker = hephaestus.work({ poll: "50ms", heartbeat: "100ms", lease: "10s" });
      await worker.ready;
      runs = 0;
      if (hangs) await hephaestus.start(simple, "one", { hangs });
      await eventually(() => !hangs || runs === 1, "it runs");
      road.deaf(true);

      await soon(worker.stop({ grace: 0 }));

      assertEquals(
        logger.said.filter((line) => line.startsWith("Cannot unregister the process")).length,
        1,
      );
      road.cut();
    });
  }

  it("is not waited for by a worker that is told to hurry", async () => {
    await using there = await migrated();
    await using road = await proxy(there.url);
    await using hephaestus = new Hephaestus({ url: road.url, workflows, logger: silent });
    const worker = hephaestus.work({ poll: "50ms", grace: "10m" });
    await worker.ready;
    runs = 0;
    await hephaestus.start(simple, "one", { hangs: true });
    await eventually(() => runs === 1, "it runs");
    road.deaf(true);
    const slow = worker.stop();

    await soon(worker.stop({ grace: 0 }));

    await slow;
    road.cut();
  });
});

describe("an engine that is closing", () => {
  it("refuses to work, for nobody would stop it", async () => {
    const hephaestus = new Hephaestus({ backend: memory(), workflows, logger: silent });
    const closed = hephaestus.close();

    assertThrows(
      () => hephaestus.work(),
      HephaestusError,
      "Cannot start the worker: the engine is",
    );

    await closed;
    assertThrows(
      () => hephaestus.work(),
      HephaestusError,
      "Cannot start the worker: the engine is",
    );
  });
});

describe("a worker that is stopped", () => {
  it("takes its listener off the signal that it was given", async () => {
    await using hephaestus = new Hephaestus({ backend: memory(), workflows, logger: silent });
    const { signal } = new AbortController();
    const workers = [hephaestus.work({ signal }), hephaestus.work({ signal })];
    // One for all of them: Node warns of a leak when there are more than ten.
    assertEquals(getEventListeners(signal, "abort").length, 1);

    for (const worker of workers) await worker.stop();

    assertEquals(getEventListeners(signal, "abort").length, 0);
  });
});

describe("a worker that is stopped while a claim is under way", () => {
  it("begins nothing after its grace, and gives back what the claim brings", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const gate = new Gate();
    const begun: string[] = [];
    const refused: string[] = [];
    const { slow, claimed } = slowClaims(backend, gate);
    const observed: Storage = {
      ...slow,
      queue: {
        ...slow.queue,
        release(leases, options) {
          refused.push(...leases.map(({ id }) => id));
          return backend.queue.release(leases, options);
        },
      },
    };
    await using hephaestus = new Hephaestus({ backend: observed, workflows, logger: silent });
    hephaestus.on("step:start", ({ key }) => void begun.push(key));
    await using starter = new Hephaestus({ backend, workflows, logger: silent });
    runs = 0;
    await starter.start(simple, "one", { hangs: false });
    const worker = hephaestus.work({ poll: "20ms" });
    await eventually(() => claimed.length === 1, "it claims");

    const stopped = worker.stop({ grace: 0 });
    await eventually(() => !backend.jobs().some(({ process }) => process), "it has left");
    await stopped;
    refused.length = 0;
    gate.open();
    // The stop does not wait for the claim: what it brings is begun or refused.
    await eventually(() => begun.length + refused.length > 0, "the claim has brought its job");

    assertEquals([begun, refused, runs], [[], claimed.map(({ id }) => id), 0]);
    assertEquals(backend.jobs().map(({ state, attempt }) => [state, attempt]), [["available", 0]]);
    assert(worker.id !== "");
  });
});
