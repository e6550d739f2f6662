import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, step, type, versioned, workflow } from "../../mod.ts";
import type { Storage } from "../../src/backend/storage.ts";
import { postgresBackend } from "../../src/postgres/backend.ts";
import { migrateInstances } from "../../src/postgres/mod.ts";
import { Gate, silent } from "../everywhere.ts";
import { reused } from "../reused.ts";

const charge = step("charge", {
  events: { charged: type<{ version: number }>() },
  run: ({ instance, emit }) => emit.charged({ version: instance.version }),
});
const ship = step("ship", { events: { shipped: type() }, run: ({ emit }) => emit.shipped() });
const start = { key: "id", input: type(), start: charge } as const;
const order = versioned("order", {
  versions: {
    1: workflow("order", start).on(charge, { charged: done }).build(),
    2: workflow("order", start).on(charge, { charged: ship }).on(ship, { shipped: done }).build(),
  },
  current: 2,
});

describe("a result whose job was given back and whose instance was moved before it is written", () => {
  it("is dropped, and the step runs in the new version", async () => {
    await using db = await reused();
    const commits = { held: new Gate(), begun: new Gate(), over: new Gate(), count: 0 };
    const backend = postgresBackend({ url: db.url, poolSize: 7, notify: false });
    const late: Storage = {
      ...backend,
      store: {
        ...backend.store,
        async commit(...of) {
          commits.begun.open();
          if (commits.count++ === 0) await commits.held.opened;
          const written = await backend.store.commit(...of);
          if (written.size > 0) commits.over.open();
          return written;
        },
        async pass(...of) {
          await backend.store.pass(...of);
          commits.over.open();
        },
      },
    };
    await using hephaestus = new Hephaestus({ backend: late, workflows: [order], logger: silent });
    const handle = await hephaestus.start(order, "a", undefined, { version: 1 });
    await using _worker = hephaestus.work({ poll: "20ms" });
    await commits.begun.opened;

    // What a process does that stops and cannot wait for its commits.
    await db.sql`update hephaestus.jobs
      set state = 'scheduled', process_id = null, scheduled_at = now() + interval '1 hour'
      where state = 'executing'`;
    const moved = await migrateInstances({ url: db.url, workflow: order, from: 1, to: 2 });
    assertEquals(moved.moved, 1);
    commits.held.open();
    await commits.over.opened;
    await db.sql`update hephaestus.jobs set scheduled_at = now()`;

    assertEquals((await handle.result()).status, "completed");
    const history = await hephaestus.history(order, { id: handle.id });
    assertEquals(history.map(({ step, output }) => [step, output]), [
      ["charge", { version: 2 }],
      ["ship", undefined],
    ]);
  });
});
