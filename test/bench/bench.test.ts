import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assertEquals } from "@std/assert";
import { server } from "../pg.ts";

const execute = promisify(execFile);
const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));
const stripTypes = new URL("../../bench/strip_types.mjs", import.meta.url).href;

const promised = [
  "workload",
  "steps",
  "seconds",
  "stepsPerSecond",
  "transactionsPerStep",
  "walBytesPerStep",
  "statementsPerStep",
  "serverCpuUsPerStep",
  "clientCpuUsPerStep",
];

/** Runs a workload on the server of the tests, and reads its last line. */
async function bench(args: string): Promise<Readonly<Record<string, unknown>>> {
  const { url } = await server();
  const runtime = "Deno" in globalThis
    ? ["run", "--allow-all", "--no-check"]
    : ["--import", stripTypes];
  const { stdout } = await execute(process.execPath, [...runtime, main, ...args.split(" ")], {
    env: { ...process.env, DATABASE_URL: url },
  });
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

describe("bench", () => {
  const runs: readonly (readonly [string, number, readonly string[]])[] = [
    ["start --workflows 20", 20, ["single"]],
    ["chain --steps 3 --workflows 20 --compare", 60, ["bare", "ratio"]],
    ["chain --steps 3 --workflows 20 --processes 2", 60, ["stepsByProcess"]],
    ["chain --workflows 20 --inline off --wait 1 --compare", 60, ["idealSeconds"]],
    ["fanout --width 10 --workflows 2", 24, []],
    ["each --items 10 --workflows 2", 24, []],
    ["latency --workflows 5", 5, ["p50Ms", "p95Ms", "p99Ms", "commitP50Ms"]],
    ["latency --workflows 5 --processes 2", 5, ["p50Ms", "commitP50Ms"]],
    ["growth --history 100 --workflows 10 --compare", 30, ["empty"]],
    ["payload --bytes 1000 --workflows 5 --compare", 100, ["laterSteps"]],
    ["again --rounds 4 --workflows 5 --compare", 40, ["tenRounds"]],
    ["again --rounds 4 --workflows 5 --carry", 40, []],
    ["mixed --workflows 10", 50, []],
  ];
  for (const [args, steps, more] of runs) {
    it(`prints a line of JSON with every figure: ${args}`, async () => {
      const result = await bench(args);

      assertEquals([...promised, ...more].filter((key) => result[key] === undefined), []);
      assertEquals(result["steps"], steps);
    });
  }
});
