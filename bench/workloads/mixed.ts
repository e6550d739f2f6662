import { setTimeout as delay } from "node:timers/promises";
import { done, type Hephaestus, join, signal, step, timer, type, workflow } from "../../mod.ts";
import { inLanes } from "../lanes.ts";
import { items, type Workload } from "./workload.ts";

const input = type<Record<string, never>>();

const prepare = step("prepare", {
  events: { ready: type<{ n: number }>() },
  async run({ emit }) {
    await delay(5);
    return emit.ready({ n: 1 });
  },
});

const charge = step("charge", {
  events: { charged: type<{ receipt: string }>() },
  retry: { attempts: 3, backoff: "constant", base: "1ms", max: "1ms" },
  async run({ attempt, emit }) {
    await delay(5);
    if (attempt === 1) throw new Error("The card reader is warming up");
    return emit.charged({ receipt: "r-1" });
  },
});

const cooldown = timer("cooldown", "20ms");
const approval = signal("approval", { events: { approved: type<{ by: string }>() } });

const settle = step("settle", {
  needs: [charge.when("charged"), approval.when("approved")],
  events: { settled: type<{ text: string }>() },
  async run({ steps, emit }) {
    await delay(5);
    return emit.settled({ text: `${steps.charge.receipt} ${steps.approval.by}` });
  },
});

const built = workflow("mixed", { key: "id", input, start: prepare })
  .on(prepare, { ready: [charge, cooldown, approval] })
  .on(charge, { charged: join(settle) })
  .on(cooldown, { elapsed: join(settle) })
  .on(approval, { approved: join(settle) })
  .on(settle, { settled: done })
  .build();

/** Waits of 5 ms, a retry, a timer and a signal, as in a typical application. */
export const mixed: Workload = {
  workflow: built,
  steps: 5,
  async start(engine: Hephaestus, prefix: string, from: number, count: number): Promise<void> {
    const batch = 100;
    for (let at = from; at < from + count; at += batch) {
      const some = items<Record<string, never>>(prefix, at, Math.min(batch, from + count - at), {});
      const handles = await engine.startMany(built, some);
      await inLanes(8, handles, async ({ id }) => {
        await engine.resume(built, { id }, approval.emit.approved({ by: "maria" }));
      });
    }
  },
};
