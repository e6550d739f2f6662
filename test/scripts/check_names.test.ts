import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { check } from "../../scripts/check_names.ts";

/** Checks these files, of which those of `entryPoints` are public. */
function problems(
  files: Readonly<Record<string, string>>,
  entryPoints: readonly string[] = ["mod.ts"],
): string[] {
  return check(entryPoints, (path) => files[path] ?? "");
}

const example = "/**\n * @example Use it\n */\n";

describe("check_names", () => {
  it("accepts a name with an example, wherever it is declared, or with a reason", () => {
    const files = {
      "mod.ts": `export { one, type Two } from "./src/a.ts";
export type { Three } from "./src/b.ts"; // a reason`,
      "src/a.ts": `${example}export function one() {}\nexport { type Two } from "./c.ts";`,
      "src/c.ts": `${example}// deno-lint-ignore no-explicit-any\nexport interface Two {}`,
    };
    assertEquals(problems(files), []);
  });

  it("tells of a name with neither", () => {
    const files = {
      "mod.ts": 'export {\n  one,\n  two,\n} from "./src/a.ts";',
      "src/a.ts": `${example}export const two = 2;\n/** One. */\nexport const one = 1;`,
    };
    assertEquals(problems(files), [
      '"mod.ts" exports one without an example or a reason behind it',
    ]);
  });

  it("tells of a name that two entry points export", () => {
    const files = {
      "mod.ts": 'export type { One } from "./src/a.ts"; // a reason',
      "src/a.ts": "export interface One {}",
    };
    assertEquals(problems(files, ["mod.ts", "src/a.ts"]), [
      '"src/a.ts" exports One, which "mod.ts" already exports',
    ]);
  });

  it("tells of too many names", () => {
    const names = Array.from({ length: 66 }, (_, n) => `n${n}`).join(", ");
    const files = { "mod.ts": `export { ${names} } from "./src/a.ts"; // a reason` };
    assertEquals(problems(files), ['"mod.ts" exports 66 names: the limit is 65, see src/types.ts']);
  });
});
