import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { fakeClock, memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, silent } from "../../everywhere.ts";

let gate = new Gate();
const work = step("work", {
  events: { ok: type<number>() },
  async run({ attempt, emit }) {
    await gate.opened;
    return emit.ok(attempt);
  },
});
const simple = workflow("simple", { key: "id", input: type(), start: work })
  .on(work, { ok: done })
  .build();

describe("a process that is held up between its heartbeat and its rescue", () => {
  it("does not declare itself dead", async () => {
    gate = new Gate();
    const clock = fakeClock();
    const backend = memory({ clock }) as Storage & ReturnType<typeof memory>;
    let beats = 0;
    const held: Storage = {
      ...backend,
      queue: {
        ...backend.queue,
        async heartbeat(process, lease) {
          const beat = await backend.queue.heartbeat(process, lease);
          beats++;
          clock.advance("1m");
          return beat;
        },
      },
    };
    await using hephaestus = new Hephaestus({ backend: held, workflows: [simple], logger: silent });
    await using worker = hephaestus.work({ poll: "20ms", heartbeat: "20ms", lease: "30s" });
    await worker.ready;
    const { id } = worker;
    const handle = await hephaestus.start(simple, "one", undefined);

    const before = beats;
    await eventually(() => beats > before + 3, "it goes on beating");
    gate.open();

    assertEquals((await handle.result()).status, "completed");
    assertEquals(worker.id, id);
    assertEquals((await hephaestus.history(simple, handle)).map(({ output }) => output), [1]);
  });
});
