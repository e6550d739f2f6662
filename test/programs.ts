import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The folder that the programs of the tests are started in. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** What comes before the path of a program, so that the runtime of the test runs its source. */
export const runtime = "Deno" in globalThis
  ? ["run", "--allow-all", "--no-check"]
  : ["--import", "tsx"];

const bundles = new Map<string, string>();

/** What to run a program with that is started often: its source in Deno, one file of it in Node. */
export function program(source: string, permissions = runtime): readonly string[] {
  if ("Deno" in globalThis) return [...permissions, source];
  const made = bundles.get(source) ?? bundle(source);
  bundles.set(source, made);
  return [made];
}

function bundle(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-program-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, ["test/bundle.mjs", source, folder], { cwd: root });
  return join(folder, `${basename(source, ".ts")}.mjs`);
}

export type Sent = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT";

/** Sends a signal to a program that runs. Deno's `child.kill` sends one and no other after it, and calls it the end of the program. */
export function send(child: ChildProcess, signal: Sent): void {
  const runs = child.exitCode === null && child.signalCode === null;
  if (runs && child.pid !== undefined) process.kill(child.pid, signal);
}
