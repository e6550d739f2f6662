import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { done, Hephaestus, HephaestusError, step, type, workflow } from "../../../mod.ts";
import type { Storage } from "../../../src/backend/storage.ts";
import { fakeClock, memory } from "../../../src/testing/mod.ts";
import { eventually, silent } from "../../everywhere.ts";

const unreachable = () => new HephaestusError("DATABASE_UNREACHABLE", "Cannot reach the database");

const work = step("work", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const short = workflow("short", { key: "id", input: type(), start: work })
  .on(work, { ok: done })
  .build();

describe("an attempt that cannot read its instance because the database is away", () => {
  it("is put off and not used up", async () => {
    const clock = fakeClock();
    const backend = memory({ clock }) as Storage & ReturnType<typeof memory>;
    let away = true;
    const flaky: Storage = {
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

let runs = 0;
const calling = step("calling", {
  events: { ok: type() },
  retry: { attempts: 2, base: "1s", backoff: "constant" },
  run({ emit }) {
    if (runs++ === 0) throw unreachable();
    return emit.ok();
  },
});
const caller = workflow("caller", { key: "id", input: type(), start: calling })
  .on(calling, { ok: done })
  .build();

describe("an attempt that throws what speaks of a database", () => {
  const cases = [
    { what: "is used up", failures: 0, attempt: 1, state: "retryable" },
    {
      what: "is used up though one connection was lost",
      failures: 1,
      attempt: 1,
      state: "retryable",
    },
    {
      what: "is put off and not used up where the database is away for the engine too",
      failures: 2,
      attempt: 0,
      state: "scheduled",
    },
  ];
  for (const { what, failures, attempt, state } of cases) {
    it(what, async () => {
      runs = 0;
      let left = failures;
      const clock = fakeClock();
      const backend = memory({ clock }) as Storage & ReturnType<typeof memory>;
      const flaky: Storage = {
        ...backend,
        queue: {
          ...backend.queue,
          retry: (...of) => left-- > 0 ? Promise.reject(unreachable()) : backend.queue.retry(...of),
        },
      };
      const options = { backend: flaky, workflows: [caller], logger: silent };
      await using hephaestus = new Hephaestus(options);
      await using worker = hephaestus.work({ poll: "20ms" });
      await worker.ready;
      const handle = await hephaestus.start(caller, "one", undefined);

      await eventually(() => backend.jobs()[0]?.state !== "executing", "the attempt is judged");

      assertEquals(backend.jobs().map((job) => [job.state, job.attempt]), [[state, attempt]]);
      clock.advance("1s");
      assertEquals((await handle.result()).status, "completed");
      const [entry] = await hephaestus.history(caller, handle);
      assertEquals(entry?.attempts, attempt + 1);
    });
  }
});
