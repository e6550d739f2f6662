import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { check } from "../scripts/check_exports.ts";
import { version } from "../src/cli/version.ts";
import tsup from "../tsup.config.ts";
import { root } from "./programs.ts";

describe("deno.json and package.json", () => {
  it("describe the same package", () => {
    const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
    const { entry } = tsup as { readonly entry: Record<string, string> };

    assertEquals(check(read("deno.json"), read("package.json"), entry, version), []);
  });
});
