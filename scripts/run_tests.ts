// Runs test/**/*.test.ts in Node and in Deno, all on one PostgreSQL server.
//   npm test -- node                  one runtime only
//   npm test -- node test/core        only files below test/core
//   npm test -- test/crash            folders of long tests, which run only when they are named
//   HEPHAESTUS_POSTGRES=/usr/lib/postgresql/15 npm test      uses another PostgreSQL than npm's
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Server, startThrowaway } from "./embedded_postgres.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const reports = mkdtempSync(join(tmpdir(), "hephaestus-reports-"));
// Tests for both runtimes: those in which sockets, timers, signals, promises, errors or modules can
// make a difference. The others run the same code on the same database; Deno runs them only when
// they are named.
const inBoth = [
  "test/core/value/",
  "test/core/definition.test.ts",
  "test/core/errors.test.ts",
  "test/observe/",
  "test/runner/",
  "test/memory/",
  "test/testing/",
  "test/bad_input/",
  "test/cli/migrate.test.ts",
  "test/examples/readme.test.ts",
  "test/invariants/async_context.test.ts",
  "test/invariants/stories.test.ts",
  "test/postgres/driver/",
  "test/postgres/user_sql/",
  "test/regressions/connections.test.ts",
  "test/regressions/sessions.test.ts",
  "test/regressions/telemetry.test.ts",
];
/** Tests that run only when they are named. `npm run check` names the one of the tarball. */
const long = [
  "test/bench",
  "test/crash",
  "test/rescue",
  "test/servers",
  "test/soak",
  "test/tarball",
];

/** There are hundreds of small databases for a moment each: vacuuming them helps nobody. */
const quiet = { autovacuum_naptime: "1h", max_wal_size: "4GB" };
/** How many files one Node process runs: each process compiles the sources again. */
const filesTogether = 12;
const processesAtOnce = 4;
/** Minutes after which a process that does not end is stopped. */
const patience = 10;

/** The tests of one runtime, which are running. */
interface Running {
  readonly counts: Promise<readonly Count[]>;
  /** Resolves once a processor is free for another runtime. */
  readonly free: Promise<unknown>;
}

const runtimes: Readonly<Record<string, (files: readonly string[]) => Running>> = {
  node: inNode,
  deno: inDeno,
};

function testFiles(paths: readonly string[]): string[] {
  const wanted = paths.map((path) => path.replace(/^\.\//, ""));
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((file) => `test/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)))
    .filter((file) => {
      const own = long.find((name) => file.startsWith(name));
      return own === undefined || wanted.some((path) => path.startsWith(own));
    })
    .sort();
}

/**
 * Several files per process, several processes at a time. The output of a process is printed when
 * it ends.
 */
function inNode(files: readonly string[]): Running {
  const together = Array.from(
    { length: Math.ceil(files.length / filesTogether) },
    (_, at) => files.slice(at * filesTogether, (at + 1) * filesTogether),
  );
  const counts: Count[] = [];
  const lane = async () => {
    for (let some = together.shift(); some !== undefined; some = together.shift()) {
      const report = join(reports, `node-${together.length}.xml`);
      const exitCode = await execute("node", [
        "node",
        "--import",
        "tsx",
        "--import",
        "./test/time_limit.ts",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        "test/together.ts",
        ...some,
      ]);
      counts.push(count(report, exitCode));
    }
  };
  const lanes = Array.from({ length: processesAtOnce }, lane);
  return { counts: Promise.all(lanes).then(() => counts), free: Promise.race(lanes) };
}

function inDeno(files: readonly string[]): Running {
  const report = join(reports, "deno.xml");
  const command = [
    ...("Deno" in globalThis ? [process.execPath] : ["node", "tools/node_modules/deno/bin.cjs"]),
    "test",
    "--allow-all",
    "--no-check",
    "--parallel",
    `--junit-path=${report}`,
    ...files,
  ];
  const counts = execute("deno", command).then((exitCode) => [count(report, exitCode)]);
  return { counts, free: counts };
}

function execute(runtime: string, command: readonly string[]): Promise<number> {
  const [name, ...args] = command;
  const program = name === "node" && !("Deno" in globalThis) ? process.execPath : name!;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const said: Uint8Array[] = [];
    child.stdout.on("data", (chunk) => void said.push(chunk));
    child.stderr.on("data", (chunk) => void said.push(chunk));
    const late = setTimeout(() => {
      said.push(new TextEncoder().encode(`Stopped after ${patience} minutes: ${args.join(" ")}\n`));
      child.kill("SIGKILL");
    }, patience * 60_000);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(late);
      process.stdout.write(Buffer.concat([new TextEncoder().encode(`\n== ${runtime}\n`), ...said]));
      resolve(code ?? 1);
    });
  });
}

/**
 * Deno reports a `describe` as well as its steps, named `suite > step`: only the leaves are tests.
 */
function count(report: string, exitCode: number): Count {
  let text = "";
  try {
    text = readFileSync(report, "utf8");
  } catch {
    return { passed: 0, failed: 1 };
  }
  const cases = [...text.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)]
    .map(([, name = "", body = ""]) => ({
      name,
      failed: /<(failure|error)\b/.test(body),
      skipped: body.includes("<skipped"),
    }));
  const suites = new Set(cases.flatMap(({ name }) => parentsOf(name)));
  const leaves = cases.filter(({ name, skipped }) => !skipped && !suites.has(name));
  const failed = leaves.filter((leaf) => leaf.failed).length;
  return {
    passed: leaves.length - failed,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
  };
}

function parentsOf(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" &gt; "));
}

function sum(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((sum, each) => sum + each.passed, 0),
    failed: counts.reduce((sum, each) => sum + each.failed, 0),
  };
}

async function main(args: readonly string[]): Promise<number> {
  const chosen = Object.keys(runtimes).filter((name) => args.includes(name));
  const names = chosen.length > 0 ? chosen : Object.keys(runtimes);
  const paths = args.filter((arg) => !(arg in runtimes));
  const files = testFiles(paths);
  if (files.length === 0) {
    console.error(`Cannot run tests: no test file begins with "${paths.join('" or "')}"`);
    return 1;
  }
  const given = process.env.HEPHAESTUS_TEST_URL || process.env.DATABASE_URL;
  const server: Server | undefined = given ? undefined : await startThrowaway({ settings: quiet });
  process.env.HEPHAESTUS_TEST_URL = given || server?.url;
  process.env.DENO_JOBS = "4";
  const running: Running[] = [];
  let counts: readonly Count[] = [];
  try {
    // The last files of a runtime leave processors idle: the next runtime begins then.
    for (const name of names) {
      await running.at(-1)?.free;
      const all = paths.length > 0 || name === "node";
      const own = files.filter((file) => all || inBoth.some((start) => file.startsWith(start)));
      running.push(runtimes[name]!(own));
    }
    counts = await Promise.all(running.map(async ({ counts }) => sum(await counts)));
  } finally {
    await server?.remove();
    rmSync(reports, { recursive: true, force: true });
  }
  const { passed, failed } = sum(counts);
  names.forEach((name, at) =>
    console.log(`${name}: ${counts[at]?.passed} passed, ${counts[at]?.failed} failed`)
  );
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
