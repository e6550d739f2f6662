import { assertEquals } from "@std/assert";
import { done, each, FatalError, type Hephaestus, join, step, type, workflow } from "../../mod.ts";
import { Gate, onPostgres } from "../everywhere.ts";

const ran: string[] = [];
let slow = new Gate();
let isBroken = true;
const begin = step("begin", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
const list = <const Name extends string>(name: Name, items: readonly string[]) =>
  each(name, {
    over: () => items,
    limit: 3,
    events: { ok: type<string>() },
    async run({ item, emit }) {
      ran.push(item);
      if (item === "slow" && isBroken) await slow.opened;
      if (item === "broken" && isBroken) throw new FatalError("It is broken");
      return emit.ok(item);
    },
  });
const left = list("left", ["slow", "quick", "next", "last"]);
const right = list("right", ["broken"]);
const end = step("end", {
  needs: [left.when("finished")],
  events: { ok: type<readonly string[]>() },
  run: ({ steps, emit }) => emit.ok(steps.left.map(({ output }) => output)),
});
const two = workflow("two", { key: "id", input: type(), start: begin })
  .on(begin, { ok: [left, right] })
  .on(left, { finished: join(end) })
  .on(right, { finished: join(end) })
  .on(end, { ok: done })
  .returns({ ended: end.when("ok") })
  .build();

onPostgres("an item whose result was recorded when its instance failed", (it) => {
  const acts: Readonly<Record<string, (engine: Hephaestus) => Promise<void>>> = {
    "a retry": (engine) => engine.retry(two, "a"),
    "a rewind of what failed beside it": (engine) => engine.rewind(two, "a", { to: right }),
  };
  for (const [name, act] of Object.entries(acts)) {
    it(`is not run again by ${name}`, { workflows: [two] }, async ({ hephaestus, work, sql }) => {
      ran.length = 0;
      slow = new Gate();
      isBroken = true;
      await work();
      const handle = await hephaestus.start(two, "a", undefined);
      assertEquals((await handle.result()).status, "failed");
      slow.open();
      // As if the process had recorded it just before the failure was written.
      await sql`insert into hephaestus.step_results
        (instance_id, step_ref, activation, event, context_updates, workflow_version, waits, processed)
        select id, 'left[]', 1, 'ok', '"slow"', 1, false, true from hephaestus.workflow_instances
        on conflict do nothing`;
      ran.length = 0;
      isBroken = false;

      await act(hephaestus);

      const again = await hephaestus.handle(two, "a");
      assertEquals(await again!.output(), ["slow", "quick", "next", "last"]);
      assertEquals(ran.includes("slow"), false);
      const fork = await hephaestus.fork(two, "a", { from: end, key: "b" });
      assertEquals(await fork.output(), ["slow", "quick", "next", "last"]);
    });
  }
}, ["inline"]);
