import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, type Worker, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, silent } from "../../everywhere.ts";

const gates = new Map<string, Gate>();
const ran: string[] = [];
const work = step("work", {
  events: { ok: type<number>() },
  async run({ attempt, instance, emit }) {
    ran.push(instance.key);
    await gates.get(instance.key)?.opened;
    return emit.ok(attempt);
  },
});
const simple = workflow("simple", { key: "id", input: type(), start: work })
  .on(work, { ok: done })
  .build();

/** An engine whose starts are answered when `meanwhile` is over, though they were written before it. */
function slow(meanwhile: (key: string | undefined) => Promise<void>) {
  const backend = memory() as Storage & ReturnType<typeof memory>;
  const slow: Storage = {
    ...backend,
    store: {
      ...backend.store,
      async open(process, instances, tx) {
        const opened = await backend.store.open(process, instances, tx);
        await meanwhile(instances[0]?.key);
        return opened;
      },
    },
  };
  return { backend, slow: new Hephaestus({ backend: slow, workflows: [simple], logger: silent }) };
}

describe("a start whose answer comes when the worker", () => {
  it("has stopped: begins no step there, and another process does", async () => {
    ran.length = 0;
    let first: Worker | undefined;
    const { backend, slow: hephaestus } = slow(async () => await first?.stop());
    await using _closed = hephaestus;
    first = hephaestus.work();
    await first.ready;

    const handle = await hephaestus.start(simple, "one", undefined);
    assertEquals(ran, []);
    const [job] = backend.jobs();
    assertEquals([job?.state, job?.process, job?.attempt], ["available", undefined, 0]);
    first = undefined;
    await using _second = hephaestus.work({ poll: "20ms" });

    assertEquals((await handle.result()).status, "completed");
    assertEquals(ran, ["id::one"]);
  });

  it("is about to stop: gives the job back, without using up its attempt", async () => {
    ran.length = 0;
    const gate = new Gate();
    gates.set("id::long", gate);
    let stopped: Promise<void> | undefined;
    const { backend, slow: hephaestus } = slow((key) => {
      if (key === "id::late") stopped = first.stop({ grace: "1m" });
      return Promise.resolve();
    });
    await using _closed = hephaestus;
    const first = hephaestus.work({ queues: { default: 2 } });
    await first.ready;
    await hephaestus.start(simple, "long", undefined);
    await eventually(() => ran.length === 1, "it runs");

    const late = await hephaestus.start(simple, "late", undefined);

    await eventually(() => {
      const job = backend.jobs().find(({ instance }) => instance === late.id);
      return job?.state === "available" && job.attempt === 0;
    }, "the job is given back");
    gate.open();
    await stopped;
    assertEquals(ran, ["id::long"]);
  });

  it("has entered again under another id: begins nothing that others have by then", async () => {
    ran.length = 0;
    const { backend, slow: hephaestus } = slow(async (key) => {
      if (key !== "id::one") return;
      const before = first.id;
      await backend.queue.unregister(before);
      const process = await backend.queue.register("other", 60_000);
      const serves = [{ workflow: "simple", version: 1 }];
      await backend.queue.claim({ process, queue: "default", limit: 1, serves });
      await eventually(() => first.id !== before, "it enters again");
    });
    await using _closed = hephaestus;
    const first = hephaestus.work({ poll: "20ms", heartbeat: "20ms", queues: { default: 1 } });
    await first.ready;

    await hephaestus.start(simple, "one", undefined);
    const two = await hephaestus.start(simple, "two", undefined);

    assertEquals((await two.result()).status, "completed");
    assertEquals(ran, ["id::two"]);
  });
});
