import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { program, root } from "../programs.ts";

const execute = promisify(execFile);
const texts = (...pages: readonly number[]) => pages.map((page) => `text of page ${page}`);

describe("the documents example", () => {
  it("reads only pages that were scanned again, and binds a document without those that stay missing", async () => {
    const command = [...program("examples/documents/main.ts")];

    const { stdout } = await execute(process.execPath, command, { cwd: root });

    const completed = { status: "completed" };
    assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!), {
      report: { ...completed, outcome: "whole", output: texts(1, 2, 3), read: [3], failed: 0 },
      contract: {
        ...completed,
        outcome: "whole",
        output: texts(1, 2, 3, 4, 5),
        read: [5, 1, 1],
        failed: 2,
      },
      letter: {
        ...completed,
        outcome: "partial",
        output: ["", ...texts(2)],
        read: [2],
        failed: 1,
      },
    });
  });
});
