import { assertEquals } from "@std/assert";
import { done, each, FatalError, join, step, type, workflow } from "../../mod.ts";
import { eventually, onPostgres } from "../everywhere.ts";

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

const stops = each("stops", {
  over: () => [0, 1, 2, 3, 4, 5, 6, 7],
  limit: 8,
  events: { ok: type<number>() },
  run({ item, activation, emit }) {
    if (activation === 1) throw new FatalError("Not yet");
    return emit.ok(item);
  },
});
const short = workflow("short", { key: "id", input: type(), start: stops })
  .on(stops, { finished: done })
  .build();

onPostgres("lists", (it) => {
  it("run beside each other in one instance", { workflows: [both] }, async (world) => {
    const { hephaestus, work, jobs } = world;
    await work();
    const handle = await hephaestus.start(both, "one", undefined);
    const status = async () => (await hephaestus.get(both, "one"))?.status;
    await eventually(async () => await status() === "completed", "both lists end");
    assertEquals(await handle.output(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    assertEquals(await jobs(), []);
  });

  it("can be retried where more items run at once than there are steps", {
    workflows: [short],
  }, async ({ hephaestus, work }) => {
    await work();
    const handle = await hephaestus.start(short, "one", undefined);
    assertEquals((await handle.result()).status, "failed");
    await hephaestus.retry(short, "one");
    const again = await hephaestus.handle(short, "one");
    assertEquals((await again!.result()).status, "completed");
  });
}, ["inline"]);
