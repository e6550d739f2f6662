import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { doubles, folders } from "../../scripts/check_structure.ts";

const named = (folder: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${folder}/${at}.ts`);

describe("check_structure", () => {
  it("refuses a folder with too few or too many files", () => {
    assertEquals(folders([...named("src/a", 3), ...named("src/b", 12)]), []);
    assertEquals(folders(named("src/a", 2)), [
      '"src/a" holds 2 files: a folder needs at least 3',
    ]);
    assertEquals(folders(named("src/a", 13)), [
      '"src/a" holds 13 files: split it, the limit is 12',
    ]);
  });

  it("accepts a folder with one file and folders of its own", () => {
    assertEquals(folders(["src/a/x.ts", ...named("src/a/b", 3)]), []);
  });

  it("refuses a type that is declared twice", () => {
    const files = new Map([
      ["src/a.ts", "export interface Row {}\ntype Other = string;"],
      ["src/b.ts", "class Row {}\n// type Other"],
    ]);
    assertEquals(doubles(files), ['Type "Row" is declared in src/a.ts and src/b.ts']);
  });
});
