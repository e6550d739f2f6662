import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { check, type DenoFace, type NpmFace } from "../../scripts/check_exports.ts";

const deno: DenoFace = {
  name: "@hephaestus/workflow",
  version: "1.2.3",
  license: "MIT",
  exports: { ".": "./mod.ts", "./cli": "./src/cli/main.ts" },
  imports: { postgres: "npm:postgres@3.4.9" },
};
const npm: NpmFace = {
  name: "@hephaestus/workflow",
  version: "1.2.3",
  license: "MIT",
  exports: {
    ".": {
      import: { types: "./dist/mod.d.ts", default: "./dist/mod.js" },
      require: { types: "./dist/mod.d.cts", default: "./dist/mod.cjs" },
    },
    "./cli": {
      import: { types: "./dist/cli.d.ts", default: "./dist/cli.js" },
      require: { types: "./dist/cli.d.cts", default: "./dist/cli.cjs" },
    },
    "./package.json": "./package.json",
  },
  typesVersions: { "*": { cli: ["./dist/cli.d.cts"] } },
  bin: { hephaestus: "dist/cli.js" },
  dependencies: { postgres: "3.4.9" },
};
const entry = { mod: "mod.ts", cli: "src/cli/main.ts" };

describe("check_exports", () => {
  it("accepts two faces of one package", () => {
    assertEquals(check(deno, npm, entry, "1.2.3"), []);
  });

  const differences: readonly (readonly [string, Partial<NpmFace>])[] = [
    ["version", { version: "1.2.4" }],
    ["license", { license: "ISC" }],
    ["exports", { exports: { ".": npm.exports["."] } }],
    ["typesVersions", { typesVersions: {} }],
    ["dependencies", { dependencies: { postgres: "^3.4.9" } }],
    ["dependencies", { dependencies: { ...npm.dependencies, lodash: "4.0.0" } }],
  ];
  for (const [field, change] of differences) {
    it(`tells that "${field}" of package.json differs: ${JSON.stringify(change)}`, () => {
      const [problem, ...others] = check(deno, { ...npm, ...change }, entry, "1.2.3");

      assertEquals(problem?.startsWith(`Cannot accept "${field}" of package.json`), true);
      assertEquals(others, []);
    });
  }

  it("tells that the bundler or the command line knows another package", () => {
    assertEquals(check(deno, npm, { mod: "mod.ts" }, "1.2.4").length, 2);
  });
});
