// Plants the defects of test/planted/*.patch, one at a time, each in a copy of the working tree:
// the tests that a patch names must fail. Without the patch they must pass.
//   npm run test:planted              all of them
//   npm run test:planted -- join      only those whose name contains "join"
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Server, startThrowaway } from "./embedded_postgres.ts";

/** A test that must notice a defect. */
export interface NamedTest {
  /** Path of the test file. */
  readonly file: string;
  /** Its full name, the names of its suites included, or a part of that. */
  readonly name: string;
}

/** A defect that can be planted. */
export interface PlantedDefect {
  /** Name of the patch, without its ending. */
  readonly name: string;
  /** What is wrong with the code, in a sentence. */
  readonly defect: string;
  readonly tests: readonly NamedTest[];
  /** The files that it changes. */
  readonly changes: readonly string[];
  readonly diff: string;
}

/** How a test ended: `unclear` where it was not found, or its file could not be loaded. */
type Ending = "passed" | "failed" | "hung" | "unclear";

interface TestRun {
  readonly ending: Ending;
  readonly said: string;
}

/** The tests that run: they must not outlive this process. */
const running = new Set<ChildProcess>();
const root = fileURLToPath(new URL("../", import.meta.url));
const copiesAtOnce = 2;
const allRuns = { HEPHAESTUS_RUNS: "1" };
/** Milliseconds that a test may take with its defect: some hang then. */
const patience = 60_000;
/** Milliseconds that it may take without. */
const longPatience = 300_000;

/** Reads a patch: header lines, then a unified diff. Throws a sentence where something is missing. */
export function read(name: string, text: string): PlantedDefect {
  const refuse = (why: string) => new Error(`Cannot read test/planted/${name}.patch: ${why}`);
  const start = text.search(/^--- /m);
  if (start < 0) throw refuse("it contains no diff");
  let defect = "";
  const files: string[] = [];
  const names: string[] = [];
  for (const line of text.slice(0, start).split("\n")) {
    const [, field, value = ""] = /^(Defect|Test|Name): (.+)$/.exec(line) ?? [];
    if (field === "Defect") defect = value;
    else if (field === "Test") files.push(value);
    else if (field === "Name") names.push(value);
    else if (line !== "") throw refuse(`"${line}" is not a header line`);
  }
  if (defect === "") throw refuse("it does not say what the defect is");
  if (files.length === 0 || files.length !== names.length) {
    throw refuse("each Test line needs a Name line");
  }
  const diff = text.slice(start);
  return {
    name,
    defect,
    tests: files.map((file, at) => ({ file, name: names[at]! })),
    changes: [...diff.matchAll(/^--- a\/(.+)$/gm)].map(([, path = ""]) => path),
    diff,
  };
}

/** What Node's runner says of a test, in TAP. */
export function endingOf(tap: string, exitCode: number | null): Ending {
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(tap)?.[1] ?? 0);
  if (/^\s*not ok /m.test(tap)) return "failed";
  return exitCode === 0 && count("pass") > 0 ? "passed" : "unclear";
}

/** A copy of what git knows of the working tree, and of what it does not ignore. */
function copyTree(to: string): void {
  const listed = spawnSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (listed.status !== 0) throw new Error(`Cannot list the files to copy: ${listed.stderr}`);
  for (const path of new Set(listed.stdout.split("\0"))) {
    // A file may be deleted and not committed.
    if (path !== "" && existsSync(join(root, path))) cpSync(join(root, path), join(to, path));
  }
  for (const folder of ["node_modules", "tools/node_modules"]) {
    if (!existsSync(join(root, folder)) || !existsSync(join(to, dirname(folder)))) continue;
    if (!lstatSync(join(to, folder), { throwIfNoEntry: false })) {
      symlinkSync(join(root, folder), join(to, folder), "junction");
    }
  }
}

/** A copy of the working tree, in which one defect is planted at a time. */
class Copy {
  readonly #folder: string;
  readonly #url: string;

  constructor(folder: string, url: string) {
    this.#folder = folder;
    this.#url = url;
    copyTree(folder);
  }

  /** Applies a patch. Returns what takes it back; a text says why it does not apply. */
  plant({ changes, diff }: PlantedDefect): (() => void) | string {
    const paths = changes.map((path) => join(this.#folder, path));
    const missing = paths.find((path) => !existsSync(path));
    if (missing !== undefined) return `There is no ${missing}`;
    const before = paths.map((path) => readFileSync(path));
    const applied = spawnSync("git", ["apply", "-C1", "-"], {
      cwd: this.#folder,
      // A repository around the copies is not meant.
      env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(this.#folder) },
      input: diff,
      encoding: "utf8",
    });
    if (applied.status !== 0) return applied.stderr;
    return () => paths.forEach((path, at) => writeFileSync(path, before[at]!));
  }

  /** Runs one test to its end, or for so many milliseconds. */
  run({ file, name }: NamedTest, milliseconds: number): Promise<TestRun> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [
        "--import=tsx",
        "--import=./test/planted/only.ts",
        "--import=./test/time_limit.ts",
        "--test-reporter=tap",
        file,
      ], {
        cwd: this.#folder,
        env: { ...process.env, ...allRuns, HEPHAESTUS_TEST_URL: this.#url, HEPHAESTUS_ONLY: name },
        stdio: ["ignore", "pipe", "pipe"],
        detached: process.platform !== "win32",
      });
      running.add(child);
      let said = "";
      child.stdout.on("data", (chunk) => void (said += chunk));
      child.stderr.on("data", (chunk) => void (said += chunk));
      let hung = false;
      const timer = setTimeout(() => {
        hung = true;
        kill(child);
      }, milliseconds);
      child.once("error", reject);
      child.once("close", (code) => {
        clearTimeout(timer);
        running.delete(child);
        resolve({ ending: hung ? "hung" : endingOf(said, code), said });
      });
    });
  }
}

/** Ends a test that hangs, with the processes that it has started. */
function kill(child: ChildProcess): void {
  try {
    if (child.pid === undefined || process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

/** Whether tests pass where nothing is planted: each is run once. */
class Unplanted {
  readonly #known = new Map<string, Promise<TestRun>>();

  run(copy: Copy, test: NamedTest): Promise<TestRun> {
    const key = `${test.file} ${test.name}`;
    const known = this.#known.get(key) ?? copy.run(test, longPatience);
    this.#known.set(key, known);
    return known;
  }
}

/** What has come of planting a defect, and whether a test hangs with it. */
interface Examined {
  readonly problems: readonly string[];
  readonly hangs: boolean;
}

/** Plants one defect and runs its tests. */
async function examine(
  copy: Copy,
  unplanted: Unplanted,
  defect: PlantedDefect,
): Promise<Examined> {
  const problems: string[] = [];
  let hangs = false;
  for (const test of defect.tests) {
    const { ending, said } = await unplanted.run(copy, test);
    if (ending === "passed") continue;
    const why = ending === "unclear" ? "does not exist or cannot be run" : `has ${ending}`;
    problems.push(`FAILS WITHOUT IT: "${test.name}" ${why}\n${lastLines(said)}`);
  }
  if (problems.length > 0) return { problems, hangs };
  const takeBack = copy.plant(defect);
  if (typeof takeBack === "string") {
    return { problems: [`DOES NOT APPLY\n${lastLines(takeBack)}`], hangs };
  }
  try {
    for (const test of defect.tests) {
      const { ending, said } = await copy.run(test, patience);
      hangs ||= ending === "hung";
      if (ending === "passed") problems.push(`NOT NOTICED by "${test.name}" in ${test.file}`);
      if (ending === "unclear") problems.push(`BREAKS THE TEST FILE\n${lastLines(said)}`);
    }
  } finally {
    takeBack();
  }
  return { problems, hangs };
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-15).join("\n").replace(/^/gm, "      ");
}

function patches(text: string): PlantedDefect[] {
  const folder = join(root, "test/planted");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".patch") && basename(file, ".patch").includes(text))
    .sort()
    .map((file) => read(basename(file, ".patch"), readFileSync(join(folder, file), "utf8")));
}

async function main([text = ""]: readonly string[]): Promise<number> {
  const defects = patches(text);
  if (defects.length === 0) {
    console.error(`Cannot plant a defect: no patch in test/planted has "${text}" in its name`);
    return 1;
  }
  const started = performance.now();
  const given = process.env.HEPHAESTUS_TEST_URL || process.env.DATABASE_URL;
  const server: Server | undefined = given ? undefined : await startThrowaway();
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-planted-"));
  process.once("exit", () => {
    running.forEach(kill);
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  const unplanted = new Unplanted();
  const waiting = [...defects];
  let wrong = 0;
  const lane = async (number: number): Promise<void> => {
    const copy = new Copy(join(folder, String(number)), given || server!.url);
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const began = performance.now();
      const { problems, hangs } = await examine(copy, unplanted, one);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      if (problems.length > 0) wrong++;
      console.log(
        `${problems.length > 0 ? "FAIL" : "ok  "}  ${one.name} (${seconds} s${
          hangs ? ", hangs" : ""
        })`,
      );
      for (const problem of problems) console.log(`      ${problem}`);
    }
  };
  try {
    await Promise.all(
      Array.from({ length: Math.min(copiesAtOnce, defects.length) }, (_, at) => lane(at)),
    );
  } finally {
    await server?.remove();
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const noticed = `${defects.length - wrong} of ${defects.length} defects were noticed`;
  console.log(`${noticed} in ${seconds} s`);
  return wrong === 0 ? 0 : 1;
}

const program = process.argv[1];
if (program !== undefined && import.meta.url === pathToFileURL(program).href) {
  process.exitCode = await main(process.argv.slice(2));
}
