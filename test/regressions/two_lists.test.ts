import { assertEquals } from "@std/assert";
import { done, each, join, step, type, workflow } from "../../mod.ts";
import { everywhere } from "../everywhere.ts";

const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const list = <const Name extends string>(name: Name) =>
  each(name, {
    over: () => [0, 1, 2, 3, 4],
    limit: 3,
    events: { ok: type<number>() },
    run: ({ item, emit }) => emit.ok(item),
  });
const left = list("left");
const right = list("right");
const end = step("end", {
  needs: [left.when("finished"), right.when("finished")],
  events: { ok: type<readonly number[]>() },
  run: ({ steps, emit }) => emit.ok([...steps.left, ...steps.right].map(({ output }) => output)),
});
const both = workflow("both", { key: "id", input: type(), start: begin })
  .on(begin, { ok: [left, right] })
  .on(left, { finished: join(end) })
  .on(right, { finished: join(end) })
  .on(end, { ok: done })
  .returns({ ok: end.when("ok") })
  .build();

everywhere("two lists of one instance", (it) => {
  it("run beside each other", { workflows: [both] }, async ({ hephaestus, work, jobs }) => {
    await work();
    const handle = await hephaestus.start(both, "one", undefined);
    assertEquals(await handle.output(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    assertEquals(await jobs(), []);
  });
});
