import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assert, assertEquals } from "@std/assert";

const execute = promisify(execFile);
const main = fileURLToPath(new URL("../../model/run.mjs", import.meta.url));

describe("the model of the commit protocol", () => {
  it("finds every weakening of the quick set, and nothing in what is built", async () => {
    const runtime = "Deno" in globalThis ? ["run", "--allow-all", "--no-check"] : [];

    const { stdout } = await execute(process.execPath, [...runtime, main, "--quick"]);

    const lines = stdout.trimEnd().split("\n").map((line) => line.split(" | "));
    assertEquals(lines.filter(([, , verdict]) => verdict === "holds").map(([, name]) => name), [
      "built",
      "children",
    ]);
    assert(lines.length > 15, `only ${lines.length} variants were run`);
    assertEquals(lines.filter((line) => line.join().includes("CUT SHORT")), []);
  });
});
