import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assertEquals, assertMatch } from "@std/assert";
import { server } from "../pg.ts";
import { judge } from "./verdict.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const runtime = "Deno" in globalThis
  ? ["run", "--allow-all", "--no-check", "--v8-flags=--expose-gc"]
  : ["--expose-gc", "--import", "tsx"];

describe("the soak", () => {
  it("finds that nothing grows in a short run of everything at once", async () => {
    const { url } = await server();

    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...runtime, main, "--minutes", "0.4"],
      { env: { ...process.env, DATABASE_URL: url } },
    );

    assertMatch(stdout, /instances that never ended: 0\n/);
    assertMatch(stdout, /\nverdict: flat\n$/);
  });

  it("calls it growth when the last third shows more than is allowed", () => {
    const samples = (numbers: readonly number[]) => numbers.map((heapMb) => ({ heapMb }));
    const allowed = { heapMb: { share: 0.1, more: 1 } };
    const verdict = (numbers: readonly number[]) => judge(samples(numbers), allowed)[0]?.grows;

    assertEquals(verdict([10, 10, 10, 10, 10, 10]), false);
    assertEquals(verdict([10, 10, 30, 30, 12, 12]), false);
    assertEquals(verdict([10, 10, 11, 12, 13, 14]), true);
    assertEquals(verdict([10, 10, 10, 10, NaN, 10]), true);
  });
});
