import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The packages of the compilers that must agree. */
export const compilers: readonly string[] = ["typescript", "typescript7"];

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** What a compiler prints about a project. */
export function compile(compiler: string, ...args: readonly string[]): string {
  const manifest = createRequire(import.meta.url).resolve(`${compiler}/package.json`);
  const node = "deno" in process.versions ? "node" : process.execPath;
  const { stdout, stderr, error } = spawnSync(
    node,
    [join(dirname(manifest), "bin/tsc"), "--noEmit", "--pretty", "false", ...args],
    { cwd: root, encoding: "utf8" },
  );
  if (error !== undefined) throw error;
  return stdout + stderr;
}
