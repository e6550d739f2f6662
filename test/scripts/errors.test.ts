import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

function codes(): readonly string[] {
  const [, union = ""] = /export type ErrorCode =([\s\S]*?);/.exec(
    read("src/core/errors/base.ts"),
  ) ?? [];
  return [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code = ""]) => code).sort();
}

describe("docs/errors.md", () => {
  it("tells of every code what it means, and of no other", () => {
    const headings = [...read("docs/errors.md").matchAll(/^### (.+)$/gm)]
      .map(([, code = ""]) => code);

    assert(codes().length > 20, "the codes were not found");
    assertEquals([...headings].sort(), codes());
  });
});
