import { setImmediate } from "node:timers";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { choice, done, Hephaestus, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import type { Store } from "../../../src/backend/store.ts";
import { memory } from "../../../src/testing/mod.ts";
import { everywhere } from "../../everywhere.ts";

const pack = step("pack", {
  events: { packed: type() },
  run: ({ emit, input }) => emit.packed(undefined, { metadata: { by: String(input) } }),
});
const broken = choice("broken", {
  events: { never: type() },
  needs: [pack.when("packed")],
  decide: () => {
    throw new TypeError("It cannot decide");
  },
});
const packing = workflow("packing", { key: "id", input: type<string>(), start: pack })
  .on(pack, { packed: done })
  .build();
const breaking = workflow("breaking", { key: "id", input: type<string>(), start: pack })
  .on(pack, { packed: broken })
  .on(broken, { never: done })
  .build();
const workflows = [packing, breaking];

everywhere("what a caller has waited for", (it) => {
  for (const [status, target] of [["completed", packing], ["failed", breaking]] as const) {
    it(`is what a look at it finds (${status})`, { workflows }, async ({ hephaestus, work }) => {
      await work();
      const [tags, metadata] = [["eu"], { from: "maria" }];
      const handle = await hephaestus.start(target, "1", "jo", { tags, metadata });

      const result = await handle.result();

      assertEquals(result.status, status);
      assertEquals(result, await hephaestus.get(target, { id: handle.id }));
    });
  }
});

describe("an instance whose end is notified before its process knows that it was written", () => {
  const looksWhen = async (by: (process: string) => string | undefined): Promise<number> => {
    let looks = 0;
    let isNotified = false;
    let notified: Parameters<Store["watch"]>[0] = () => {};
    const backend = memory() as Storage & ReturnType<typeof memory>;
    const { store } = backend;
    const early: Store = {
      ...store,
      watch(ended) {
        notified = ended;
        return { [Symbol.asyncDispose]: () => Promise.resolve() };
      },
      async commit(process, turns) {
        const written = await store.commit(process, turns);
        // What is looked at is looked at now. On a busy machine, a caller that has waited for 50 ms
        // looks by itself.
        isNotified = true;
        notified([...written.keys()], by(process));
        await new Promise((resolve) => setImmediate(resolve));
        isNotified = false;
        return written;
      },
      list(filter, tx) {
        if (isNotified) looks++;
        return store.list(filter, tx);
      },
    };
    const notifying: Storage = { ...backend, store: early };
    await using hephaestus = new Hephaestus({ backend: notifying, workflows });
    await using worker = hephaestus.work({ poll: "20ms" });
    await worker.ready;
    const one = async (key: string) => {
      const handle = await hephaestus.start(packing, key, "jo");
      await handle.result();
    };
    // A call that begins to wait looks once, for notifications that nobody heard.
    await one("first");
    looks = 0;
    for (const key of ["1", "2", "3"]) await one(key);
    return looks;
  };

  it("is not looked at when that process is here", async () => {
    assertEquals(await looksWhen((process) => process), 0);
  });

  it("is looked at when it may be another one", async () => {
    assert(await looksWhen(() => "17") >= 3);
    assert(await looksWhen(() => undefined) >= 3);
  });
});
