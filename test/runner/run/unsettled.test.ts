import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, keeping } from "../../everywhere.ts";
import { allFree, watchSlots } from "../../slots.ts";

const failing = step("failing", {
  events: { ok: type() },
  retry: { attempts: 3 },
  run() {
    throw new Error("It fails");
  },
});
const flow = workflow("flow", { key: "id", input: type(), start: failing })
  .on(failing, { ok: done })
  .build();

describe("an attempt whose failure cannot be written", () => {
  it("stays counted when its process leaves, and holds no slot meanwhile", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const refused = () => Promise.reject(new Error("The database refuses"));
    const refusing: Storage = {
      ...backend,
      queue: { ...backend.queue, retry: refused, snooze: refused },
    };
    const slots = watchSlots();
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend: refusing, workflows: [flow], logger });
    const worker = hephaestus.work({ poll: "20ms", queues: { default: 1 } });
    await worker.ready;
    await hephaestus.start(flow, "one", undefined);
    const isStuck = (line: string) => line.includes("rejects it even without details");
    await eventually(() => logger.said.some(isStuck), "it is said");
    await allFree(slots);

    await worker.stop({ grace: "0ms" });

    assertEquals(backend.jobs().map(({ state, attempt }) => [state, attempt]), [["available", 1]]);
    assertEquals(logger.said.filter(isStuck).length, 1);
  });
});
