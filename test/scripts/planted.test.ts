import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { endingOf, read } from "../../scripts/planted.ts";

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

const header = "Defect: A join starts too early.\nTest: test/a.test.ts\nName: a join waits\n";
const diff = "--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,2 +1,2 @@\n one();\n-two();\n+three();\n";

describe("a planted defect", () => {
  it("is a patch with a header", () => {
    assertEquals(read("early", `${header}\n${diff}`), {
      name: "early",
      defect: "A join starts too early.",
      tests: [{ file: "test/a.test.ts", name: "a join waits" }],
      changes: ["src/a.ts"],
      diff,
    });
  });

  for (
    const [refused, why] of [
      [header, "it contains no diff"],
      [diff, "it does not say what the defect is"],
      [`Defect: It is wrong.\n${diff}`, "each Test line needs a Name line"],
      [`Because.\n${diff}`, '"Because." is not a header line'],
    ] as const
  ) {
    it(`is refused where ${why}`, () => {
      assertThrows(() => read("early", refused), Error, why);
    });
  }

  it("is noticed by a test that fails, not by one that cannot be run", () => {
    assertEquals(endingOf("ok 1 - waits\n# pass 1\n", 0), "passed");
    assertEquals(endingOf("    not ok 1 - waits\n# pass 0\n", 1), "failed");
    assertEquals(endingOf("ok 1 - a join\n# pass 0\n", 0), "unclear");
    assertEquals(endingOf("SyntaxError", 1), "unclear");
  });
});

describe("test/planted", () => {
  it("names files that exist, and test/README.md names each patch", () => {
    const page = text("test/README.md");
    for (const file of readdirSync(new URL("test/planted/", root))) {
      if (!file.endsWith(".patch")) continue;
      const { name, tests, changes } = read(file.slice(0, -6), text(`test/planted/${file}`));
      const paths = [...tests.map(({ file }) => file), ...changes];
      assertEquals([name, paths.filter((path) => !existsSync(new URL(path, root)))], [name, []]);
      assertEquals([name, page.includes(`\`${name}\``)], [name, true]);
    }
  });
});
