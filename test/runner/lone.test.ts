import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import type { Storage } from "../../src/backend/store.ts";
import { memory } from "../../src/testing/mod.ts";
import { eventually, Gate, silent } from "../everywhere.ts";

let active = 0;
const beside: { readonly key: string; readonly active: number }[] = [];
const gates = new Map<string, Gate>();

const act = step("act", {
  events: { ok: type() },
  retry: { attempts: 1 },
  async run({ instance, emit }) {
    active++;
    beside.push({ key: instance.key.slice("id::".length), active });
    await gates.get(instance.key.slice("id::".length))?.opened;
    await new Promise((resolve) => setTimeout(resolve, 1));
    active--;
    return emit.ok();
  },
});
const simple = workflow("simple", { key: "id", input: type(), start: act })
  .on(act, { ok: done })
  .build();
const workflows = [simple];

/** Instances whose step has been executing beside the others in two processes that died. */
async function bereaved(...keys: readonly string[]) {
  active = 0;
  beside.length = 0;
  gates.clear();
  const backend = memory() as Storage & ReturnType<typeof memory>;
  const hephaestus = new Hephaestus({ backend, workflows, logger: silent });
  const handles = await hephaestus.startMany(
    simple,
    keys.map((key) => ({ key, input: undefined })),
  );
  const serves = [{ workflow: "simple", version: 1 }];
  for (let death = 0; death < 2; death++) {
    const process = await backend.queue.register("dying", -1);
    await backend.queue.claim({ process, queue: "default", limit: 100, serves });
    await backend.queue.rescue();
  }
  return { backend, hephaestus, handles };
}

describe("jobs whose process has died twice while others were executing beside them", () => {
  it("run one at a time, though there are slots for all, and their attempt is their first", async () => {
    const { hephaestus, handles } = await bereaved("a", "b", "c", "d");
    await using _closed = hephaestus;

    hephaestus.work({ poll: "20ms" });

    for (const handle of handles) {
      assertEquals((await handle.result()).status, "completed");
      const [entry] = await hephaestus.history(simple, { id: handle.id });
      assertEquals(entry?.attempts, 1);
    }
    assertEquals(beside.map(({ active }) => active), [1, 1, 1, 1]);
  });

  it("let nothing begin beside them, neither claimed nor started here", async () => {
    const { backend, hephaestus, handles } = await bereaved("a", "b");
    await using _closed = hephaestus;
    await using starter = new Hephaestus({ backend, workflows, logger: silent });
    const gate = new Gate();
    gates.set("a", gate).set("b", gate);
    const worker = hephaestus.work({ poll: "20ms" });
    await worker.ready;
    await eventually(() => active === 1, "one of them runs");

    const others = [
      await hephaestus.start(simple, "here", undefined),
      await starter.start(simple, "elsewhere", undefined),
    ];
    for (let look = 0; look < 3; look++) {
      let asked = false;
      void backend.queue.nextDue(0).then(() => asked = true);
      await eventually(() => asked, "it had its turn");
    }
    assertEquals(active, 1);
    gate.open();

    for (const handle of [...handles, ...others]) {
      assertEquals((await handle.result()).status, "completed");
    }
    const alone = beside.filter(({ key }) => key === "a" || key === "b");
    assertEquals(alone.map(({ active }) => active), [1, 1]);
  });

  it("are waited for by a process that is never idle", async () => {
    const { hephaestus, handles } = await bereaved("a", "b");
    await using _closed = hephaestus;
    let more = true;
    const busy = async (key: string) => {
      for (let n = 0; more; n++) {
        await (await hephaestus.start(simple, `${key}${n}`, undefined)).result();
      }
    };
    // Busy before it may look for them.
    const gate = new Gate();
    gates.set("x", gate);
    await hephaestus.start(simple, "x", undefined);
    await using _worker = hephaestus.work({ poll: "20ms", lease: "60ms", heartbeat: "20ms" });
    const load = ["k", "l", "m"].map(busy);
    gate.open();

    for (const handle of handles) assertEquals((await handle.result()).status, "completed");

    more = false;
    await Promise.all(load);
    const alone = beside.filter(({ key }) => key === "a" || key === "b");
    assertEquals(alone.map(({ active }) => active), [1, 1]);
  });
});
