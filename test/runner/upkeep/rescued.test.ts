import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, keeping, silent } from "../../everywhere.ts";

const charge = step("charge", {
  events: { ok: type() },
  retry: { attempts: 5 },
  run: ({ emit }) => emit.ok(),
});
const order = workflow("order", { key: "orderid", input: type(), start: charge })
  .on(charge, { ok: done })
  .build();
const workflows = [order];
const serves = [{ workflow: "order", version: 1 }];

describe("the log of a rescue", () => {
  it("names workflow, key, step and attempt, each time", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    await using starter = new Hephaestus({ backend, workflows, logger: silent });
    await starter.start(order, "abc123", undefined);
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend, workflows, logger });
    await hephaestus.work({ queues: { other: 1 }, heartbeat: "20ms", poll: "1h" }).ready;
    const told = () => logger.said.filter((line) => line.includes("was declared dead"));

    const dead = [];
    for (let death = 1; death <= 2; death++) {
      const process = await backend.queue.register("dying", 100);
      await backend.queue.claim({ process, queue: "default", limit: 1, serves });
      dead.push(process);
      await eventually(() => told().length === death, "it is told");
    }

    assertEquals(told().map((line) => line.replace(/ \{.*/, "")), [
      `Process ${
        dead[0]
      } was declared dead. It was running step "charge" of order "abc123" (attempt 1 of 5)`,
      `Process ${
        dead[1]
      } was declared dead. It was running step "charge" of order "abc123" (attempt 2 of 5)`,
    ]);
  });

  it("names a few of many", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    await using starter = new Hephaestus({ backend, workflows, logger: silent });
    const items = Array.from({ length: 12 }, (_, n) => ({ key: `n${n}`, input: undefined }));
    await starter.startMany(order, items);
    const process = await backend.queue.register("dying", -1);
    await backend.queue.claim({ process, queue: "default", limit: 20, serves });
    const logger = keeping();
    await using hephaestus = new Hephaestus({ backend, workflows, logger });

    await hephaestus.work({ queues: { other: 1 }, heartbeat: "20ms", poll: "1h" }).ready;

    await eventually(() => logger.said.length > 0, "it is told");
    const [sentence = ""] = logger.said[0]!.split(" {");
    assertEquals(sentence.match(/step "charge"/g)?.length, 5);
    assertEquals(sentence.slice(-10), "and 7 more");
  });
});
