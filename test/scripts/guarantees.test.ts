import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";

const page = new URL("../../docs/guarantees.md", import.meta.url);
const link = /\[`[\w-]+`\]\((\.\.\/test\/[^)]+\.test\.ts)\)([^|<[\n]*)/g;

/** What stands of a test's name in its file: "…" is what the file computes, ° that nobody has seen it fail. */
function parts(name: string): readonly string[] {
  return name.replace("°", "").split("…").flatMap((part) => {
    const [subject = "", ...behaviour] = part.trim().split(": ");
    return [subject, behaviour.join(": ")];
  }).filter((part) => part !== "");
}

describe("docs/guarantees.md", () => {
  it("names tests that exist", () => {
    const found = [...readFileSync(page, "utf8").matchAll(link)];
    const missing = found.flatMap(([, file = "", name = ""]) => {
      const text = readFileSync(new URL(file, page), "utf8");
      return parts(name).filter((part) => !text.includes(part)).map((part) => `${file}: ${part}`);
    });

    assertEquals(missing, []);
    assert(found.length > 60, `only ${found.length} tests are named`);
  });
});
