// npm run test:soak -- --fan-out 100000: one wide instance, and how long small ones take beside it.
import { setTimeout as delay } from "node:timers/promises";
import { done, Hephaestus, step, type, workflow } from "../../mod.ts";
import { fanOut } from "./load.ts";

// More urgent than the branches: equals wait in the order in which they became due, and so behind all of them.
const small = step("small", { priority: 4, events: { ok: type() }, run: ({ emit }) => emit.ok() });
const single = workflow("single", { key: "id", input: type<object>(), start: small })
  .on(small, { ok: done })
  .build();

/** Runs a fan-out with small instances beside it. Returns whether all of them have ended well. */
export async function besides(
  place: { readonly url: string; readonly schema: string },
  width: number,
  slots: number,
): Promise<boolean> {
  let began = performance.now();
  const wide = fanOut(width);
  console.log(`built in ${seconds(began)} s`);
  await using hephaestus = new Hephaestus({ ...place, workflows: [wide, single] });
  await using worker = hephaestus.work({ queues: { default: slots } });
  await worker.ready;
  const quiet = await latencies(hephaestus, "before", () => performance.now() > began + 5_000);
  console.log(`alone: ${figures(quiet)}`);

  began = performance.now();
  const handle = await hephaestus.start(wide, "one", {});
  let ended = false;
  const result = handle.result().finally(() => ended = true);
  const beside = await latencies(hephaestus, "beside", () => ended);
  const { status } = await result;
  console.log(`${width} branches, ${slots} slots: ${status} in ${seconds(began)} s`);
  console.log(`beside it: ${figures(beside)}`);
  return status === "completed";
}

/** Milliseconds from the start of a small instance to its awaited result, one every 100 ms. */
async function latencies(
  hephaestus: Hephaestus,
  prefix: string,
  over: () => boolean,
): Promise<readonly number[]> {
  const took: Promise<number>[] = [];
  while (!over()) {
    took.push(one(hephaestus, `${prefix}-${took.length}`));
    await delay(100);
  }
  return (await Promise.all(took)).sort((a, b) => a - b);
}

async function one(hephaestus: Hephaestus, key: string): Promise<number> {
  const began = performance.now();
  const end = await (await hephaestus.start(single, key, {})).result();
  if (end.status !== "completed") throw new Error(`Instance "${key}" is ${end.status}`);
  return performance.now() - began;
}

function figures(sorted: readonly number[]): string {
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? NaN);
  return `${sorted.length} instances, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
