import { spawn } from "node:child_process";
import process from "node:process";
import { program, root } from "../programs.ts";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

// The least rights that Deno has to grant, without a question. A check reads the module.
const least = ["run", "--no-prompt", "--allow-net", "--allow-env"];
const reading = [...least, "--allow-read"];

/** Runs the command line, with these variables besides the inherited ones. */
export function hephaestus(
  args: readonly string[],
  url?: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [
    ...program("src/cli/main.ts", args[0] === "check" ? reading : least),
    ...args,
  ], {
    cwd: root,
    env: {
      ...env,
      NO_COLOR: "1",
      ...variables,
      ...(url === undefined ? {} : { DATABASE_URL: url }),
    },
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => void (out += chunk));
  child.stderr.on("data", (chunk) => void (error += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, error }));
  });
}
