import process from "node:process";
import { Hephaestus, type Instance, type ListOptions, type WorkOptions } from "../../mod.ts";
import { migrate } from "../../src/postgres/mod.ts";
import type { Order } from "./order.ts";
import { engineSchema } from "./tables.ts";
import { order } from "./workflow.ts";

/**
 * The worker options of every process. With the short lease, a killed process is noticed after
 * three seconds.
 */
export const pace: WorkOptions = {
  queues: { default: 20 },
  heartbeat: "500ms",
  lease: "3s",
  grace: "2s",
};

/** Creates the engine, with the same options in every process of the example. */
export function open(url: string): Hephaestus {
  // The example kills processes on purpose, so only errors are logged.
  const logger = { debug() {}, info() {}, warn() {}, error: console.error };
  return new Hephaestus({ url, schema: engineSchema, workflows: [order], logger });
}

/** Creates the engine's tables, as "hephaestus migrate" does. */
export async function prepare(url: string): Promise<void> {
  await migrate({ url, schema: engineSchema });
}

/** The arguments that run this program again, in another process. */
export const again: readonly string[] = [
  ...("Deno" in globalThis ? ["run", "-A"] : process.execArgv),
  process.argv[1]!,
];

/** All matching orders, page by page. */
export async function* every(
  hephaestus: Hephaestus,
  options: Omit<ListOptions, "after" | "limit"> = {},
): AsyncGenerator<Instance<Order>> {
  let after: string | undefined;
  do {
    const page = await hephaestus.list(order, { ...options, after, limit: 1_000 });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
