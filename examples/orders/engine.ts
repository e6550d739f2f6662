import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { Hephaestus, type Instance, type ListOptions, type WorkOptions } from "../../mod.ts";
import type { Order } from "./order.ts";
import { engineSchema } from "./tables.ts";
import { order } from "./workflow.ts";

/** How every process of the example works. The short lease lets a killed process be missed after three seconds. */
export const pace: WorkOptions = {
  queues: { default: 20 },
  heartbeat: "500ms",
  lease: "3s",
  grace: "2s",
};

/** The engine, as every process of the example has it. */
export function open(url: string): Hephaestus {
  // That processes die is what the example is about: only errors are news.
  const logger = { debug() {}, info() {}, warn() {}, error: console.error };
  return new Hephaestus({ url, schema: engineSchema, workflows: [order], logger });
}

/** Brings the engine's tables up to date with its command. */
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
  if (code !== 0) throw new Error(`Cannot make the engine's tables: hephaestus ended with ${code}`);
}

/** What this runtime is told before the name of a script. */
export const runtime: readonly string[] = "Deno" in globalThis ? ["run", "-A"] : process.execArgv;

/** All orders of a list, page by page. */
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
