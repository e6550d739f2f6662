import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The folder that the programs of the tests are started in. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** What comes before the path of a program, so that the runtime of the test runs its source. */
export const runtime = "Deno" in globalThis
  ? ["run", "--allow-all", "--no-check"]
  : ["--import", "tsx"];

export type Sent = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT";

/** Sends a signal to a program that runs. Deno's `child.kill` sends one and no other after it, and calls it the end of the program. */
export function send(child: ChildProcess, signal: Sent): void {
  const runs = child.exitCode === null && child.signalCode === null;
  if (runs && child.pid !== undefined) process.kill(child.pid, signal);
}
