import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { check, circles } from "../../scripts/check_layers.ts";

const accepted: readonly (readonly [string, string])[] = [
  ["src/core/engine/engine.ts", 'import { step } from "./step.ts";'],
  ["src/core/engine/engine.ts", '/** Uses Date.now() and fetch(x). */\nconst at = "new Date()";'],
  ["src/core/engine/engine.ts", 'const sentence = `taken from "${name}"`;'],
  [
    "src/postgres/driver/connect.ts",
    'import postgres from "postgres";\nimport net from "node:net";',
  ],
  ["src/runner/advance.ts", 'import {\n  settle,\n} from "../core/engine/engine.ts";'],
  ["src/hephaestus.ts", 'import { run } from "./runner/run.ts";'],
  ["mod.ts", 'export { step } from "./src/core/define/step.ts";'],
  ["src/types.ts", 'export type { Need } from "./core/define/step_definition.ts";'],
  ["src/cli/migrate.ts", 'import { migrate } from "../postgres/mod.ts";'],
];

const refused: readonly (readonly [string, string, string])[] = [
  [
    "src/core/engine/engine.ts",
    'import {\n  Job,\n} from "../../backend/job.ts";',
    '"src/core/engine/engine.ts" imports "../../backend/job.ts": core may not import backend',
  ],
  [
    "src/core/engine/engine.ts",
    'export type { Job } from "../../backend/job.ts";',
    '"src/core/engine/engine.ts" imports "../../backend/job.ts": core may not import backend',
  ],
  [
    "src/core/engine/engine.ts",
    'const job = import("../../backend/job.ts");',
    '"src/core/engine/engine.ts" imports "../../backend/job.ts": core may not import backend',
  ],
  [
    "src/core/engine/engine.ts",
    'import "node:crypto";',
    '"src/core/engine/engine.ts" imports "node:crypto": core has no I/O',
  ],
  [
    "src/core/engine/engine.ts",
    "const now = Date.now();",
    '"src/core/engine/engine.ts" uses "Date.now": core must not use clocks, randomness, I/O or await',
  ],
  [
    "src/core/engine/engine.ts",
    "const read = await load();",
    '"src/core/engine/engine.ts" uses "await": core must not use clocks, randomness, I/O or await',
  ],
  [
    "src/core/engine/engine.ts",
    'console.log("here");',
    '"src/core/engine/engine.ts" uses "console.": core must not use clocks, randomness, I/O or await',
  ],
  [
    "src/runner/advance.ts",
    'import { query } from "../postgres/driver/db.ts";',
    '"src/runner/advance.ts" imports "../postgres/driver/db.ts": runner may not import postgres',
  ],
  [
    "src/memory/store.ts",
    'import postgres from "postgres";',
    '"src/memory/store.ts" imports "postgres": memory may not import a package',
  ],
  [
    "src/core/utils.ts",
    "",
    '"src/core/utils.ts" has a vague name: name the file after its contents',
  ],
  [
    "src/core/types.ts",
    "",
    '"src/core/types.ts" has a vague name: name the file after its contents',
  ],
  [
    "src/cli/migrate.ts",
    'import { connect } from "../postgres/driver/connect.ts";',
    '"src/cli/migrate.ts" imports "../postgres/driver/connect.ts": cli may not import more of postgres than postgres/mod.ts',
  ],
  [
    "src/elsewhere/x.ts",
    "",
    'Cannot place "src/elsewhere/x.ts": "elsewhere" is not a layer, see scripts/check_layers.ts',
  ],
];

describe("check_layers", () => {
  for (const [path, text] of accepted) {
    it(`accepts ${JSON.stringify(text)} in ${path}`, () => assertEquals(check(path, text), []));
  }
  for (const [path, text, sentence] of refused) {
    it(`refuses ${JSON.stringify(text)} in ${path}`, () => {
      assertEquals(check(path, text), [sentence]);
    });
  }

  it("refuses a circle of imports, of types too", () => {
    const files = new Map([
      ["src/core/a.ts", 'import { b } from "./b.ts";\nimport { c } from "./c.ts";'],
      ["src/core/b.ts", 'import type { C } from "./c.ts";'],
      ["src/core/c.ts", 'export type { B } from "./b.ts";'],
    ]);
    assertEquals(circles(files), [
      'Import cycle: "src/core/b.ts" imports "src/core/c.ts" imports "src/core/b.ts"',
    ]);
  });

  it("accepts two ways to one file", () => {
    const files = new Map([
      ["src/core/a.ts", 'import { b } from "./b.ts";\nimport { c } from "./c.ts";'],
      ["src/core/b.ts", 'import { c } from "./c.ts";'],
      ["src/core/c.ts", '// import { a } from "./a.ts";'],
    ]);
    assertEquals(circles(files), []);
  });
});
