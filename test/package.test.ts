import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "@std/assert";
import { check } from "../scripts/check_exports.ts";
import { version } from "../src/cli/version.ts";
import tsup from "../tsup.config.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const deno = join(root, "tools/node_modules/deno/bin.cjs");
const tsc = join(root, "node_modules/typescript/bin/tsc");
const names = "[typeof main.workflow, typeof main.Hephaestus, typeof testing.memory].join()";
const expected = "function,function,function\n";

describe("deno.json and package.json", () => {
  it("describe the same package", () => {
    const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
    const { entry } = tsup as { readonly entry: Record<string, string> };

    assertEquals(check(read("deno.json"), read("package.json"), entry, version), []);
  });
});

// Packing is npm's work, and the Node half of a run has done it.
if (!("Deno" in globalThis)) {
  describe("the packed tarball", () => {
    const folder = mkdtempSync(join(tmpdir(), "hephaestus-package-"));
    const installed = join(folder, "node_modules/@hephaestus/workflow");

    const node = (...args: readonly string[]): string =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return name;
    };

    before(() => {
      mkdirSync(installed, { recursive: true });
      const npm = process.env.npm_execpath;
      const [command, ...first] = npm ? [process.execPath, npm] : ["npm"];
      const pack = [...first, "pack", "--silent", "--pack-destination", folder];
      execFileSync(command!, pack, { cwd: root, stdio: "pipe" });
      const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
      execFileSync("tar", ["-xzf", tarball!, "-C", installed, "--strip-components=1"], {
        cwd: folder,
      });
      symlinkSync(join(root, "node_modules/postgres"), join(folder, "node_modules/postgres"));
      file("package.json", "{}");
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("holds what is published and nothing else", () => {
      const here = readdirSync(installed).filter((name) => !/^(README|LICENSE)/.test(name));

      assertEquals(here.sort(), ["dist", "package.json", "sql"]);
    });

    it("is imported by Node", () => {
      const program = file(
        "import.mjs",
        `import * as main from "@hephaestus/workflow";
        import * as testing from "@hephaestus/workflow/testing";
        console.log(${names});`,
      );

      assertEquals(node(program), expected);
    });

    it("is required by Node", () => {
      const program = file(
        "require.cjs",
        `const main = require("@hephaestus/workflow");
        const testing = require("@hephaestus/workflow/testing");
        console.log(${names});`,
      );

      assertEquals(node(program), expected);
    });

    it("is imported by Deno", () => {
      const options = ["--no-lock", "--no-prompt", "--node-modules-dir=manual", "--allow-env"];

      assertEquals(node(deno, "run", ...options, "import.mjs"), expected);
    });

    it("brings a command", () => {
      const bin = join(installed, "dist/cli.js");

      assertMatch(readFileSync(bin, "utf8"), /^#!\/usr\/bin\/env node\n/);
      assertEquals(node(bin, "--version"), `${version}\n`);
    });

    it("brings types that need no types of Node", () => {
      file(
        "consumer.mts",
        `import { Hephaestus, workflow } from "@hephaestus/workflow";
        import { memory } from "@hephaestus/workflow/testing";
        export const all: readonly unknown[] = [Hephaestus, workflow, memory];`,
      );
      const lib = ["es2023", "esnext.disposable", "dom"];
      const compilerOptions = { module: "nodenext", noEmit: true, strict: true, types: [], lib };
      file("tsconfig.json", JSON.stringify({ compilerOptions, files: ["consumer.mts"] }));

      assertEquals(node(tsc, "--project", "."), "");
    });
  });
}
