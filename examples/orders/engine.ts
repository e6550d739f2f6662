import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { Hephaestus, type Instance, type ListOptions, type WorkOptions } from "../../mod.ts";
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

/** Migrates the engine's tables with its command-line tool. */
export async function migrate(url: string): Promise<void> {
  const script = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, [...runtime, script, "migrate", "--schema", engineSchema], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    throw new Error(`Cannot create the engine's tables: hephaestus ended with ${code}`);
  }
}

/** The arguments of this runtime that come before the name of a script. */
export const runtime: readonly string[] = "Deno" in globalThis ? ["run", "-A"] : process.execArgv;

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
