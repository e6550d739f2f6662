import { describe, it } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { done, Hephaestus, type HistoryEntry, step, timer, type, workflow } from "../../mod.ts";
import { memory } from "../../src/testing/memory.ts";
import { fakeClock } from "../../src/testing/clock.ts";

describe("fakeClock()", () => {
  it("stands still until it is moved", () => {
    const clock = fakeClock(1_000);

    assertEquals([clock.now(), clock.now()], [1_000, 1_000]);
    clock.advance("2m");
    clock.advance("5ms");

    assertEquals(clock.now(), 121_005);
  });

  it("tells of every move, until that is not wanted any more", () => {
    const clock = fakeClock(0);
    const seen: number[] = [];

    const nothing = { jobs: () => [], serves: () => false };
    const stop = clock.onMove?.(() => seen.push(clock.now()), nothing);
    clock.advance("1ms");
    clock.advance("2ms");
    stop?.();
    clock.advance("3ms");

    assertEquals(seen, [1, 3]);
  });

  it("does not go back", () => {
    assertThrows(() => fakeClock().advance("-1ms"), RangeError);
  });
});

const one = timer("one", "1d");
const two = timer("two", "2d");
const flaky = step("flaky", {
  retry: { attempts: 3, backoff: "constant", base: "1h", max: "1h" },
  events: { ok: type() },
  run({ attempt, emit }) {
    if (attempt < 3) throw new Error("not yet");
    return emit.ok();
  },
});
const three = timer("three", "4d");
const week = workflow("week", { key: "id", input: type(), start: one })
  .on(one, { elapsed: two })
  .on(two, { elapsed: flaky })
  .on(flaky, { ok: three })
  .on(three, { elapsed: done })
  .build();

describe("fakeClock().run()", () => {
  it("fires timers of timers, and retries, each at its time", async () => {
    const clock = fakeClock(0);
    await using hephaestus = new Hephaestus({
      backend: memory({ clock }),
      workflows: [week],
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await using _worker = hephaestus.work();
    await hephaestus.start(week, "a", undefined);

    await clock.run("7d");
    assertEquals((await hephaestus.get(week, "a"))?.active, ["three"]);
    await clock.run("2h");

    assertEquals((await hephaestus.get(week, "a"))?.status, "completed");
    assertEquals(clock.now(), 170 * 3_600_000);
    const at = ({ at }: HistoryEntry) => at.getTime() / 3_600_000;
    assertEquals((await hephaestus.history(week, "a")).map(at), [24, 72, 74, 170]);
  });

  it("says what is due and not done when nobody works", async () => {
    const clock = fakeClock(0);
    await using hephaestus = new Hephaestus({ backend: memory({ clock }), workflows: [week] });
    await hephaestus.start(week, "a", undefined);

    await assertRejects(
      () => clock.run("7d", { patience: 20 }),
      Error,
      'still due after 20 ms: one, in queue "default", which no worker serves',
    );
  });
});
