import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, HephaestusError, signal, step, type, workflow } from "../../../mod.ts";
import {
  type InstanceCache,
  InstanceCache as Cache,
} from "../../../src/runner/turn/instance_cache.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { memory } from "../../../src/testing/mod.ts";
import { eventually, Gate, silent } from "../../everywhere.ts";

const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const approval = signal("approval", { events: { given: type() } });
const asked = workflow("asked", { key: "id", input: type(), start: work })
  .on(work, { ok: approval })
  .on(approval, { given: done })
  .build();

describe("a result whose instance is forgotten while its turn is planned", () => {
  it("is applied all the same", async () => {
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const forgetful = forgetting(backend);
    await using hephaestus = new Hephaestus({ backend: forgetful, workflows: [asked] });
    await using _worker = hephaestus.work({ poll: "20ms" });
    const handle = await hephaestus.start(asked, "one", undefined);
    await hephaestus.resume(asked, handle, approval.emit.given());

    const { status } = await handle.result();

    assertEquals(status, "completed");
    assertEquals((await hephaestus.history(asked, handle)).map(({ state }) => state), [
      "applied",
      "applied",
    ]);
  });
});

const gates = new Map<string, Gate>();
const began: string[] = [];
const gated = step("gated", {
  events: { ok: type() },
  async run({ instance, emit }) {
    began.push(instance.key);
    await gates.get(instance.key)?.opened;
    return emit.ok();
  },
});
const guarded = workflow("guarded", { key: "id", input: type(), start: gated })
  .on(gated, { ok: done })
  .build();

describe("a batch whose turns are written and whose jobs without a turn cannot be passed", () => {
  const faults = {
    "while the database is away": new HephaestusError("DATABASE_UNREACHABLE", "It is away"),
    "because it refuses": new Error("It refuses"),
  };
  for (const [why, fault] of Object.entries(faults)) {
    it(`gives each slot back once (${why})`, async () => {
      began.length = 0;
      const passed: (readonly string[])[] = [];
      const backend = memory() as Storage & ReturnType<typeof memory>;
      const failing: Storage = {
        ...backend,
        store: {
          ...backend.store,
          pass(passes) {
            passed.push(passes.map(({ instance }) => instance));
            return passed.length === 1 ? Promise.reject(fault) : backend.store.pass(passes);
          },
        },
      };
      const engine = { workflows: [guarded], logger: silent };
      await using hephaestus = new Hephaestus({ ...engine, backend: failing });
      await using other = new Hephaestus({ ...engine, backend });
      const caches = cachesOf();
      await using worker = hephaestus.work({ poll: "20ms", queues: { default: 2 } });
      await worker.ready;
      const together = new Gate();
      for (const key of ["id::going", "id::gone"]) gates.set(key, together);
      const going = await hephaestus.start(guarded, "going", undefined);
      const gone = await hephaestus.start(guarded, "gone", undefined);
      await eventually(() => began.length === 2, "both run");
      await other.cancel(guarded, "gone");
      for (const cache of caches) cache.forget(gone.id);

      together.open();

      assertEquals((await going.result()).status, "completed");
      const later = new Gate();
      for (const key of ["a", "b", "c", "d"]) {
        gates.set(`id::${key}`, later);
        await hephaestus.start(guarded, key, undefined);
      }
      await eventually(() => began.length >= 4, "two more run");
      later.open();
      assertEquals(began.length, 4);
      for (const instances of passed) assertEquals(instances, [gone.id]);
    });
  }
});

/** A backend during whose reads every instance is forgotten, as a heartbeat that finds a job gone may do. */
function forgetting(backend: Storage): Storage {
  const caches = cachesOf();
  return {
    ...backend,
    store: {
      ...backend.store,
      async unprocessed(ids) {
        const rows = await backend.store.unprocessed(ids);
        for (const cache of caches) for (const id of ids) cache.forget(id);
        return rows;
      },
    },
  };
}

/** The caches of all processes from now on. */
function cachesOf(): ReadonlySet<InstanceCache> {
  const caches = new Set<InstanceCache>();
  const set = Cache.prototype.set;
  Cache.prototype.set = function (known) {
    caches.add(this);
    return set.call(this, known);
  };
  return caches;
}
