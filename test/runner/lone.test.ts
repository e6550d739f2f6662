import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { fakeClock, memory } from "../../src/testing/mod.ts";
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

/**
 * Instances whose step has been executing beside the others in two processes that died. Their jobs
 * are due in an hour on the clock of the test where that is asked for.
 */
async function bereaved(keys: readonly string[], { due = "now" }: { due?: "now" | "later" } = {}) {
  active = 0;
  beside.length = 0;
  gates.clear();
  const clock = fakeClock();
  const backend = memory({ clock }) as Storage & ReturnType<typeof memory>;
  const asked = { upkeep: 0, waits: 0 };
  const observed: Storage = {
    ...backend,
    queue: {
      ...backend.queue,
      nextDue(atMost) {
        asked.upkeep++;
        return backend.queue.nextDue(atMost);
      },
      async loneWaits(demand) {
        const waits = await backend.queue.loneWaits(demand);
        if (waits) asked.waits++;
        return waits;
      },
    },
  };
  const hephaestus = new Hephaestus({ backend: observed, workflows, logger: silent });
  const handles = await hephaestus.startMany(
    simple,
    keys.map((key) => ({ key, input: undefined })),
  );
  const { queue } = backend;
  const serves = [{ workflow: "simple", version: 1 }];
  for (let death = 0; death < 2; death++) {
    const process = await queue.register("dying", -1);
    await queue.claim({ process, queue: "default", limit: 100, serves });
    await queue.rescue();
  }
  const process = await queue.register("another", 60_000);
  for (const _ of due === "later" ? keys : []) {
    const job = await queue.claimLone({ process, queues: ["default"], serves });
    await queue.snooze({ process, id: job!.id, token: job!.token }, 3_600_000);
  }
  await queue.unregister(process);
  return { backend, hephaestus, handles, asked, clock };
}

describe("jobs whose process has died twice while others were executing beside them", () => {
  it("run one at a time, though there are slots for all, and their attempt is their first", async () => {
    const { hephaestus, handles } = await bereaved(["a", "b", "c", "d"]);
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
    const { backend, hephaestus, handles, asked } = await bereaved(["a", "b"]);
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
    // Jobs are claimed at each wake-up, and as often as this.
    const before = asked.upkeep;
    await eventually(() => asked.upkeep >= before + 3, "it had its turns");
    // It is still the only one that has begun.
    assertEquals(beside.length, 1);
    gate.open();

    for (const handle of [...handles, ...others]) {
      assertEquals((await handle.result()).status, "completed");
    }
    const alone = beside.filter(({ key }) => key === "a" || key === "b");
    assertEquals(alone.map(({ active }) => active), [1, 1]);
  });

  it("are waited for by a process that is never idle", async () => {
    const { hephaestus, handles, asked, clock } = await bereaved(["a", "b"], { due: "later" });
    await using _closed = hephaestus;
    let more = true;
    const busy = async (key: string) => {
      for (let n = 0; more; n++) {
        await (await hephaestus.start(simple, `${key}${n}`, undefined)).result();
      }
    };
    const gate = new Gate();
    gates.set("x", gate);
    await using worker = hephaestus.work({ poll: "20ms", lease: "60ms", heartbeat: "20ms" });
    await worker.ready;
    await hephaestus.start(simple, "x", undefined);
    await eventually(() => active === 1, "it is busy");
    const load = ["k", "l", "m"].map(busy);

    clock.advance("1h");
    // It has claimed whatever it may in between.
    await eventually(() => asked.waits >= 2, "it has seen twice that they wait");
    gate.open();

    for (const handle of handles) assertEquals((await handle.result()).status, "completed");

    more = false;
    await Promise.all(load);
    const alone = beside.filter(({ key }) => key === "a" || key === "b");
    assertEquals(alone.map(({ active }) => active), [1, 1]);
  });
});
