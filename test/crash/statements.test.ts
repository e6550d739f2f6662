import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { nameOf, written } from "./statements.ts";
import { stories } from "./stories.ts";

describe("the crash points", () => {
  it("are around every statement that writes", () => {
    const tried = new Set(stories.flatMap(({ statements }) => statements));

    assertEquals(written.filter((name) => !tried.has(name)), []);
  });

  it("do not miss a statement that nobody has named", () => {
    assertThrows(() => nameOf("delete from hephaestus.jobs"), Error, "Cannot name this statement");
  });
});
