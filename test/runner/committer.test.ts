import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, signal, step, type, workflow } from "../../mod.ts";
import type { Instances } from "../../src/runner/instances.ts";
import { Instances as Cache } from "../../src/runner/instances.ts";
import type { Backend } from "../../src/store/store.ts";
import { memory } from "../../src/testing/mod.ts";

const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const approval = signal("approval", { events: { given: type() } });
const asked = workflow("asked", { key: "id", input: type(), start: work })
  .on(work, { ok: approval })
  .on(approval, { given: done })
  .build();

describe("a result whose instance is forgotten while its turn is planned", () => {
  it("is applied all the same", async () => {
    const backend = memory() as Backend & ReturnType<typeof memory>;
    const forgetful = forgetting(backend);
    await using hephaestus = new Hephaestus({ backend: forgetful, workflows: [asked] });
    await using _worker = hephaestus.work({ poll: 20 });
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

/** A backend during whose reads every instance is forgotten, as a heartbeat that finds a job gone may do. */
function forgetting(backend: Backend): Backend {
  const caches = new Set<Instances>();
  const set = Cache.prototype.set;
  Cache.prototype.set = function (known) {
    caches.add(this);
    return set.call(this, known);
  };
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
