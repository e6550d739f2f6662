import { assertEquals } from "@std/assert";
import { done, step, type, workflow } from "../../../mod.ts";
import { everywhere } from "../../everywhere.ts";

const ok = { ok: type<number>() };
const first = step("first", {
  queue: "here",
  events: ok,
  run: ({ attempt, emit }) => emit.ok(attempt),
});
const second = step("second", {
  queue: "there",
  events: ok,
  run: ({ attempt, emit }) => emit.ok(attempt),
});
const third = step("third", {
  queue: "here",
  events: ok,
  needs: [second.when("ok")],
  run: ({ attempt, steps, emit }) => emit.ok(10 * steps.second + attempt),
});
const ferry = workflow("ferry", { key: "id", input: type(), start: first })
  .on(first, { ok: second })
  .on(second, { ok: third })
  .on(third, { ok: done })
  .build();

everywhere("a step whose process last saw its instance before others moved it", (it) => {
  it("runs at once, and is not put off", { workflows: [ferry] }, async (world) => {
    const { hephaestus, another } = world;
    let putOff = 0;
    hephaestus.on("job:snooze", () => void putOff++);
    await hephaestus.work({ poll: "20ms", queues: { here: 1 } }).ready;
    await another().work({ poll: "20ms", queues: { there: 1, default: 1 } }).ready;

    const handle = await hephaestus.start(ferry, "one", undefined);

    assertEquals((await handle.result()).status, "completed");
    assertEquals((await hephaestus.history(ferry, handle)).map(({ output }) => output), [1, 1, 11]);
    assertEquals(putOff, 0);
  });
});
