import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "@std/assert";
import { migrated } from "../pg.ts";

const root = new URL("../../", import.meta.url);
const runtime = "Deno" in globalThis
  ? ["run", "--check", "--quiet", "--no-prompt", "--allow-all", "--config", "deno.json"]
  : ["--import", "tsx"];

/** The first program of the README, on the source of this checkout. */
function program(): string {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const [, code = ""] = /^## Thirty-five lines\n\n```ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  return code;
}

function onSource(code: string): string {
  return code.replace(`"@hephaestus/workflow"`, JSON.stringify(new URL("mod.ts", root).href));
}

function run(file: string, url: string): Promise<string> {
  const child = spawn(process.execPath, [...runtime, file], {
    cwd: fileURLToPath(root),
    env: { ...process.env, NO_COLOR: "1", DATABASE_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (chunk) => void (said += chunk));
  child.stderr.on("data", (chunk) => void (said += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve(said));
  });
}

describe("the example of the README", () => {
  it("has as many lines as its heading says", () => {
    assertEquals(program().trimEnd().split("\n").length, 35);
  });

  it("is plain JavaScript without what stands between < and >", () => {
    const folder = mkdtempSync(join(tmpdir(), "hephaestus-readme-"));
    try {
      const file = join(folder, "first.mjs");
      writeFileSync(file, program().replaceAll(/type<.*?>\(\)/g, "type()"));

      // What is checked is the syntax, by the oldest Node that is supported where it is the one that runs.
      const { stderr, status } = spawnSync("node", ["--check", file], { encoding: "utf8" });

      assertEquals([status, stderr], [0, ""]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("runs as printed", async () => {
    await using database = await migrated();
    const folder = mkdtempSync(join(tmpdir(), "hephaestus-readme-"));
    try {
      const file = join(folder, "first.mts");
      writeFileSync(file, onSource(program()));

      const said = await run(file, database.url);

      const [status, validated, ...rest] = said.trimEnd().split("\n");
      assertEquals([status, validated], ["completed", "validate valid { total: 10 }"], said);
      assertMatch(rest.slice(0, 2).sort().join("\n"), /^charge charged .*\nreserve reserved .*$/);
      assertMatch(rest.slice(2).join("\n"), /^ship shipped \{[^}]*hold-[^}]* paid by 10\/[^}]*\}$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
