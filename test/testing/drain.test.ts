import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { done, Hephaestus, step, timer, type, workflow } from "../../mod.ts";
import { drain, fakeClock, memory } from "../../src/testing/mod.ts";

const pause = timer("pause", "10d");
const flaky = step("flaky", {
  retry: { attempts: 3, backoff: "constant", base: "1h", max: "1h" },
  events: { ok: type() },
  run: ({ attempt, emit }) => {
    if (attempt < 3) throw new Error("not yet");
    return emit.ok();
  },
});
const patient = workflow("patient", { key: "id", input: type(), start: pause })
  .on(pause, { elapsed: flaky })
  .on(flaky, { ok: done })
  .build();

const charge = step("charge", {
  queue: "stripe",
  events: { ok: type() },
  run: ({ emit }) => emit.ok(),
});
const paid = workflow("paid", { key: "id", input: type(), start: charge })
  .on(charge, { ok: done }).build();

const quick = step("quick", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const now = workflow("now", { key: "id", input: type(), start: quick }).on(quick, { ok: done })
  .build();

describe("drain()", () => {
  it("returns when everything that is due at the moved clock has been done", async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    await using hephaestus = new Hephaestus({ backend, workflows: [patient] });
    await using _worker = hephaestus.work();
    await hephaestus.start(patient, "a", undefined);

    const statuses = [];
    for (const step of ["1s", "10d", "1h", "1h"] as const) {
      clock.advance(step);
      await drain(backend);
      const instance = await hephaestus.get(patient, "a");
      statuses.push(`${instance?.status}: ${instance?.active}`);
    }

    assertEquals(statuses, ["waiting: pause", "running: flaky", "running: flaky", "completed: "]);
  });

  it("says which steps are still due when nobody works", async () => {
    const backend = memory();
    await using hephaestus = new Hephaestus({ backend, workflows: [now] });
    await hephaestus.start(now, "a", undefined);

    await assertRejects(
      () => drain(backend, { patience: 20 }),
      Error,
      `1 job is still due after 20 ms: quick, in queue "default", which no worker serves`,
    );
  });

  it("says which queue no worker serves", async () => {
    const backend = memory();
    await using hephaestus = new Hephaestus({ backend, workflows: [paid] });
    await using worker = hephaestus.work();
    await worker.ready;
    await hephaestus.startMany(paid, [{ key: "a", input: undefined }, {
      key: "b",
      input: undefined,
    }]);

    await assertRejects(
      () => drain(backend, { patience: 20 }),
      Error,
      `2 jobs are still due after 20 ms: charge, in queue "stripe", which no worker serves`,
    );
  });
});
