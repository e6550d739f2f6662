import { assertEquals } from "@std/assert";
import { choice, done, join, step, type, workflow } from "../../mod.ts";
import { everywhere, Gate } from "../everywhere.ts";

everywhere("a result that is recorded while an advance runs", (it) => {
  const gates = new Map<number, Gate>();
  const input = type<number>();
  const fork = step("fork", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const left = step("left", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const right = step("right", {
    input,
    events: { ok: type() },
    run: async ({ input, emit }) => (await gates.get(input)!.opened, emit.ok()),
  });
  // An advance decides between its read and its write: this is when the other branch ends.
  const between = choice("between", {
    input,
    events: { ok: type() },
    decide({ input, emit }) {
      gates.get(input)!.open();
      return emit.ok();
    },
  });
  const end = step("end", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const flow = workflow("flow", { key: "id", input, start: fork })
    .on(fork, { ok: [left, right] })
    .on(left, { ok: between })
    .on(right, { ok: join(end) })
    .on(between, { ok: join(end) })
    .on(end, { ok: done })
    .build();

  it("wakes another one and is not lost", { workflows: [flow] }, async ({ hephaestus, work }) => {
    await work({ queues: { default: 100 } });
    for (const n of Array.from({ length: 30 }).keys()) {
      gates.set(n, new Gate());
      const handle = await hephaestus.start(flow, `k${n}`, n);

      const { status } = await handle.result({ signal: AbortSignal.timeout(20_000) });
      assertEquals(status, "completed");
    }
  });
});
