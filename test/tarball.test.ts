// Tests what npm publishes. `npm run check` runs them on the tarball that it has packed.
//   npm test -- node test/tarball      packs one
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
import { assertEquals, assertMatch } from "@std/assert";
import { version } from "../src/cli/version.ts";
import { migrated } from "./pg.ts";
import { root } from "./programs.ts";

const deno = join(root, "tools/node_modules/deno/bin.cjs");
const tsc = (compiler: string) => join(root, `node_modules/${compiler}/bin/tsc`);
const names =
  "[main.workflow, main.Hephaestus, postgres.migrate, testing.memory].map((name) => typeof name).join()";
const expected = "function,function,function,function\n";

describe("the packed tarball", () => {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-package-"));
  const installed = join(folder, "node_modules/@hephaestus/workflow");

  const node = (...args: readonly string[]): string =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };

  const pack = (): string => {
    const npm = process.env.npm_execpath;
    const [command, ...first] = npm ? [process.execPath, npm] : ["npm"];
    execFileSync(command!, [...first, "pack", "--silent", "--pack-destination", folder], {
      cwd: root,
      stdio: "pipe",
    });
    return readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  };

  before(() => {
    const tarball = process.env.HEPHAESTUS_TARBALL || pack();
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"], {
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
      import * as postgres from "@hephaestus/workflow/postgres";
      import * as testing from "@hephaestus/workflow/testing";
      import "@hephaestus/workflow/events";
      import "@hephaestus/workflow/types";
      console.log(${names});`,
    );

    assertEquals(node(program), expected);
  });

  it("is required by Node, and where require() knows no ES modules", () => {
    const program = file(
      "require.cjs",
      `const main = require("@hephaestus/workflow");
      const postgres = require("@hephaestus/workflow/postgres");
      const testing = require("@hephaestus/workflow/testing");
      console.log(${names});`,
    );
    const old = "--no-experimental-require-module";
    const flags = process.allowedNodeEnvironmentFlags.has(old) ? [[], [old]] : [[]];

    for (const flag of flags) assertEquals(node(...flag, program), expected);
  });

  it("is one package to a process that imports and requires it", () => {
    const program = file(
      "both.cjs",
      `const required = require("@hephaestus/workflow");
      const { memory } = require("@hephaestus/workflow/testing");
      import("@hephaestus/workflow").then(async (imported) => {
        const different = Object.keys(required).filter((name) => imported[name] !== required[name]);
        if (different.length > 0) throw new Error(different.join());
        const ask = imported.signal("ask", { events: { told: imported.type() } });
        const give = required.step("give", {
          events: { given: required.type() },
          run() { throw new imported.FatalError("It cannot be given"); },
        });
        const flow = required.workflow("flow", { key: "id", input: imported.type(), start: ask })
          .on(ask, { told: give })
          .on(give, { given: imported.done })
          .build();
        const engine = new imported.Hephaestus({
          backend: memory(),
          workflows: [flow],
          logger: { debug() {}, info() {}, warn() {}, error() {} },
        });
        const worker = engine.work();
        const handle = await engine.start(flow, "a", undefined);
        const again = await engine.start(flow, "a", undefined).catch((error) => error);
        await engine.resume(flow, "a", ask.emit.told());
        const { status, error } = await handle.result();
        console.log(again instanceof required.AlreadyRunningError, status, error.message);
        await engine.close();
      });`,
    );

    assertEquals(node(program), "true failed It cannot be given\n");
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

  const consumer = `import { Hephaestus, type Workflow, workflow } from "@hephaestus/workflow";
    import type { Listener } from "@hephaestus/workflow/events";
    import { migrate, type PostgresOptions } from "@hephaestus/workflow/postgres";
    import { memory } from "@hephaestus/workflow/testing";
    import type { AnyWorkflow } from "@hephaestus/workflow/types";
    import type {} from "@hephaestus/workflow/cli";
    export const prepare = async (options: PostgresOptions): Promise<number> =>
      (await migrate({ url: options.url })).applied.length;
    export const watch = (engine: Hephaestus, listener: Listener<"job:retry">): () => void =>
      engine.on("job:retry", listener);
    export const all = (one: Workflow): readonly AnyWorkflow[] => [one];
    export const engine = (flow: Workflow): Hephaestus =>
      new Hephaestus({ backend: memory(), workflows: [flow] });
    // @ts-expect-error -- the types are there, and say what is missing
    workflow("flow", {});`;
  const compile = (source: string, compilerOptions: object, compiler: string): string => {
    const lib = ["es2023", "esnext.disposable", "dom"];
    const all = { noEmit: true, strict: true, types: [], lib, ...compilerOptions };
    file(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: all, files: [file(source, consumer)] }),
    );
    return execFileSync(process.execPath, [tsc(compiler), "--project", "."], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
  };

  for (
    // The newest compiler takes a tenth of the time. It has no resolution of before exports.
    const [name, source, compilerOptions, compiler = "typescript7"] of [
      ["an ES module", "consumer.mts", { module: "nodenext" }],
      ["a CommonJS module", "consumer.cts", { module: "nodenext" }],
      ["a CommonJS module under node16", "old.cts", { module: "node16" }],
      ["a bundler", "bundled.ts", { module: "esnext", moduleResolution: "bundler" }],
      ["the resolution of before exports", "nest.ts", {
        ...{ module: "commonjs", moduleResolution: "node10", ignoreDeprecations: "6.0" },
      }, "typescript"],
    ] as const
  ) {
    it(`brings types to ${name}, which need no types of Node`, () => {
      assertEquals(compile(source, compilerOptions, compiler), "");
    });
  }

  it("works on PostgreSQL, imported and required", async () => {
    await using database = await migrated();
    const program = (take: string) =>
      `${take}
      const engine = new Hephaestus({ url: process.env.DATABASE_URL, workflows: [] });
      engine.list().then(({ items }) => engine.close().then(() => console.log(items.length)));`;
    const names = "{ Hephaestus }";
    const files = [
      file("live.mjs", program(`import ${names} from "@hephaestus/workflow";`)),
      file("live.cjs", program(`const ${names} = require("@hephaestus/workflow");`)),
    ];

    for (const each of files) {
      const said = execFileSync(process.execPath, [each], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, DATABASE_URL: database.url },
      });
      assertEquals(said, "0\n");
    }
  });
});
