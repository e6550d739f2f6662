import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, HephaestusError, step, type, workflow } from "../../mod.ts";
import type { Backend } from "../../src/store/store.ts";
import { fakeClock, memory } from "../../src/testing/mod.ts";
import { eventually, silent } from "../everywhere.ts";

const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const short = workflow("short", { key: "id", input: type(), start: work })
  .on(work, { ok: done })
  .build();

describe("an attempt that cannot read its instance because the database is away", () => {
  it("is put off and not used up", async () => {
    const clock = fakeClock();
    const backend = memory({ clock }) as Backend & ReturnType<typeof memory>;
    let away = true;
    const flaky: Backend = {
      ...backend,
      store: {
        ...backend.store,
        read: (ids) =>
          away
            ? Promise.reject(
              new HephaestusError("DATABASE_UNREACHABLE", "Cannot reach the database"),
            )
            : backend.store.read(ids),
      },
    };
    const options = { backend: flaky, workflows: [short], inline: false, logger: silent };
    await using hephaestus = new Hephaestus(options);
    await using _worker = hephaestus.work({ poll: "20ms" });
    const handle = await hephaestus.start(short, "one", undefined);
    await eventually(() => backend.jobs()[0]?.state === "scheduled", "the attempt is put off");
    assertEquals(backend.jobs().map(({ attempt }) => attempt), [0]);

    away = false;
    clock.advance("1s");

    assertEquals((await handle.result()).status, "completed");
    const [entry] = await hephaestus.history(short, handle);
    assertEquals([entry?.attempts, entry?.errors], [1, []]);
  });
});
