// Runs all checks except the tests, two at a time, and prints the output of those that fail.
//   npm run check -- layers docs      runs only these parts
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

type Command = readonly string[];

const root = fileURLToPath(new URL("../", import.meta.url));
const packed = mkdtempSync(join(tmpdir(), "hephaestus-packed-"));
const node = process.execPath;
const deno = [node, "tools/node_modules/deno/bin.cjs"];
const script = [node, "--import", "tsx"];
const npm = process.env.npm_execpath ? [node, process.env.npm_execpath] : ["npm"];
const { exports }: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, "deno.json"), "utf8"),
);
const entryPoints = Object.values(exports);

/** Slow parts first, so that two at a time take the least time. */
const parts: Readonly<Record<string, () => readonly Command[]>> = {
  package: () => [
    [node, "node_modules/tsup/dist/cli-default.js", "--silent"],
    [...script, "scripts/commonjs.ts"],
    [...npm, "pack", "--ignore-scripts", "--silent", "--pack-destination", packed],
    [node, "node_modules/publint/src/cli.js", "--strict", tarball()],
    [node, "node_modules/@arethetypeswrong/cli/dist/index.js", tarball(), "--no-color"],
    [...script, "scripts/run_tests.ts", "node", "test/tarball"],
    [...script, "scripts/check_package.ts", tarball()],
  ],
  publish: () => [[...deno, "publish", "--dry-run", "--allow-dirty", "--quiet"]],
  "types-deno": () => [[...deno, "check", "--quiet"]],
  "types-6": () => [[node, "node_modules/typescript/bin/tsc", "--project", "."]],
  "types-7": () => [[node, "node_modules/typescript7/bin/tsc", "--project", "."]],
  declarations: () => [
    [node, "node_modules/typescript/bin/tsc", "--project", "tsconfig.published.json"],
  ],
  // Every example of the documentation is a program that runs.
  examples: () => [
    [...deno, "test", "--doc", "--allow-all", "--quiet", "mod.ts", "src", "docs/control_flow.md"],
  ],
  docs: () => [[...deno, "doc", "--lint", "--quiet", ...entryPoints]],
  format: () => [[...deno, "fmt", "--check"]],
  lint: () => [[...deno, "lint", "--quiet"]],
  layers: () => [[...script, "scripts/check_layers.ts"]],
  structure: () => [[...script, "scripts/check_structure.ts"]],
  exports: () => [
    [...script, "scripts/check_exports.ts"],
    [...script, "scripts/check_names.ts"],
  ],
  sql: () => [[...script, "scripts/embed_sql.ts", "--check"]],
  lengths: () => [[...script, "scripts/check_lengths.ts"]],
};

/** Parts whose last command prints figures. */
const figures = new Set(["package"]);

function tarball(): string {
  const [file] = readdirSync(packed).filter((name) => name.endsWith(".tgz"));
  return join(packed, file ?? "nothing was packed");
}

function execute([command, ...args]: Command): Promise<{ failed: boolean; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command!, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", HEPHAESTUS_TARBALL: tarball() },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => void (said += chunk));
    child.stderr.on("data", (chunk) => void (said += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ failed: code !== 0, said }));
  });
}

/** Runs one part and prints its line. */
async function run(name: string): Promise<boolean> {
  const started = performance.now();
  let result = { failed: false, said: "" };
  for (let at = 0; !result.failed; at++) {
    const command = parts[name]!()[at];
    if (command === undefined) break;
    result = await execute(command);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${result.failed ? "FAIL" : "ok  "}  ${name} (${seconds} s)`);
  if (result.failed || figures.has(name)) {
    console.log(result.said.trimEnd().replace(/^/gm, "      "));
  }
  return !result.failed;
}

async function main(chosen: readonly string[]): Promise<number> {
  const unknown = chosen.find((name) => !(name in parts));
  if (unknown !== undefined) {
    console.error(`Cannot check "${unknown}": parts are ${Object.keys(parts).join(", ")}`);
    return 2;
  }
  const waiting = chosen.length > 0 ? [...chosen] : Object.keys(parts);
  const outcomes: boolean[] = [];
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      outcomes.push(await run(name));
    }
  };
  await Promise.all([lane(), lane()]);
  rmSync(packed, { recursive: true, force: true });
  return outcomes.every(Boolean) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
