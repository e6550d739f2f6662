import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { memory } from "../../src/testing/mod.ts";
import { eventually, Gate, silent } from "../everywhere.ts";
import { slowClaims } from "./slow_claims.ts";

let now = 0;
const ran: { readonly key: string; readonly now: number }[] = [];
let gate = new Gate();
const act = step("act", {
  events: { ok: type() },
  async run({ instance, emit }) {
    now++;
    ran.push({ key: instance.key, now });
    await gate.opened;
    now--;
    return emit.ok();
  },
});
const simple = workflow("simple", { key: "id", input: type(), start: act })
  .on(act, { ok: done })
  .build();
const workflows = [simple];

describe("a claim that is under way", () => {
  it("holds the slots of the jobs that it may bring, and a start here takes none of them", async () => {
    now = 0;
    ran.length = 0;
    gate = new Gate();
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const answer = new Gate();
    const { slow, claimed } = slowClaims(backend, answer);
    await using hephaestus = new Hephaestus({ backend: slow, workflows, logger: silent });
    await using starter = new Hephaestus({ backend, workflows, logger: silent });
    const first = await starter.start(simple, "claimed", undefined);
    hephaestus.work({ poll: "20ms", queues: { default: 1 } });
    await eventually(() => claimed.length === 1, "it claims");

    const second = await hephaestus.start(simple, "here", undefined);
    answer.open();
    await eventually(() => ran.some(({ key }) => key === "id::claimed"), "what was claimed runs");
    gate.open();

    for (const handle of [first, second]) {
      assertEquals((await handle.result()).status, "completed");
    }
    assertEquals(ran, [{ key: "id::claimed", now: 1 }, { key: "id::here", now: 1 }]);
  });
});
