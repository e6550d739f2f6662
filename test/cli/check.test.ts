import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { after as afterAll, describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Hephaestus } from "../../mod.ts";
import { type CheckValues, runCheck } from "../../src/cli/check.ts";
import { sentenceOf, UsageError } from "../../src/cli/failure.ts";
import { eventually, silent } from "../everywhere.ts";
import { database } from "../pg.ts";
import { root } from "../programs.ts";
import { reused } from "../reused.ts";
import { type Ended, hephaestus as command } from "./command.ts";
import { before, mail } from "./flows.ts";

const folder = mkdtempSync(join(tmpdir(), "hephaestus-check-"));
writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const here = (file: string) => pathToFileURL(join(root, file)).href;
const imports = `import { Hephaestus, step, type, versioned, workflow } from "${here("mod.ts")}";
import { after, before, mail } from "${here("test/cli/flows.ts")}";
`;

/** A module of a program that uses this library. */
function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, imports + text);
  return file;
}

const tsx = { NODE_OPTIONS: `--import ${here("node_modules/tsx/dist/esm/index.mjs")}` };

/** The command as a process of its own, which takes seconds. */
const run = (args: readonly string[], url?: string) => command(["check", ...args], url, tsx);

const events = ["uncaughtException", "unhandledRejection"] as const;

/** What the command does between its arguments and its exit code. */
async function checked(files: readonly string[], values: CheckValues): Promise<Ended> {
  const { log } = console;
  const out: string[] = [];
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  Object.assign(console, { log: (line: string) => void out.push(`${line}\n`) });
  const ended = await runCheck(files, values).then(
    (code) => ({ code, error: "" }),
    (error) => ({ code: error instanceof UsageError ? 2 : 1, error: `${sentenceOf(error)}\n` }),
  );
  Object.assign(console, { log });
  // Those of the modules stay until the command ends.
  for (const [at, event] of events.entries()) {
    for (const listener of process.listeners(event as "uncaughtException")) {
      if (!before[at]!.includes(listener)) process.off(event, listener);
    }
  }
  return { ...ended, out: out.join("") };
}

describe("hephaestus check", () => {
  it("says what each version of a program is to the open instances, and exits with 0 or 1", async () => {
    await using t = await reused();
    await using hephaestus = new Hephaestus({
      connections: t.connections,
      workflows: [before, mail],
      logger: silent,
    });
    await using worker = hephaestus.work({ poll: "50ms" });
    await worker.ready;
    for (const key of ["a", "b"]) await hephaestus.start(before, key, undefined);
    const waiting = async () => (await hephaestus.list(before, { status: "waiting" })).items.length;
    await eventually(async () => await waiting() === 2, "both wait");
    const date = new Date().toISOString().slice(0, 10);
    const both = program(
      "both.ts",
      `export const [v1, v2] = [before, after];
       export default [versioned("order", { versions: { 1: before, 2: after, 3: after }, current: 2 }), [mail]];
       console.log("loading");
       export const engine = new Hephaestus({ url: process.env.DATABASE_URL, workflows: [mail] });
       void engine.list(mail).catch(() => {});`,
    );
    const changed = program("changed.ts", "export const order = after;");
    const gone = program(
      "gone.ts",
      `export const order = versioned("order", { versions: { 2: after }, current: 2 });`,
    );
    const other = program("other.ts", "export { mail };");

    const fine = await run([both], t.url);
    assertEquals([fine.code, fine.out.replaceAll(date, "today")], [
      0,
      "mail 3   new\n" +
      "order 1  safe          2 open, since today\n" +
      "  2 open instances continue\n" +
      "order 2  new\n" +
      "order 3  new\n" +
      "every open instance can continue\n",
    ]);
    assertEquals(fine.error, "loading\n");

    const wrong = await run([changed], t.url);
    assertEquals([wrong.code, wrong.out.replaceAll(date, "today")], [
      1,
      "order 1  changed       2 open, since today\n" +
      '  signal "right" was replaced by "boss"\n' +
      '  instances of "order": 2 at "left", 2 at "right"\n' +
      "  2 open instances started with another graph of version 1. Leave version 1 as it was, and make the\n" +
      '    new graph version 2 with versioned("order", ...)\n' +
      "some open instances cannot continue\n",
    ]);

    const { url } = t;
    const { code, out } = await checked([gone], { url, json: true });
    const { ok, versions } = JSON.parse(out);
    assertEquals([code, ok, versions.length], [1, false, 2]);
    const { oldest, ...rest } = versions[0];
    assertEquals(oldest.slice(0, 10), date);
    assertEquals(rest, {
      workflow: "order",
      version: 1,
      verdict: "needsVersion",
      open: 2,
      steps: { left: 2, right: 2 },
      changes: ['signal "right" was replaced by "boss"'],
      comparedWith: 2,
      sentence: "2 open instances need version 1, which is not in the code. Keep it with " +
        'versioned("order", ...) until they have ended',
    });
    assertEquals(Object.keys(versions[1]), Object.keys(versions[0]));
    assertEquals([versions[1].verdict, versions[1].oldest], ["new", null]);

    const missing = await checked([other], { url });
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.out, 'there is no code of workflow "order"');
    assertEquals((await checked([other], { url, ignore: ["order"] })).code, 0);
    const alone = program("alone.ts", "export { before };");
    assertEquals((await checked([other, alone], { url })).code, 0);
  });

  it("says why it cannot load a module", async () => {
    await using t = await database();
    const { url } = t;
    const cases = [
      ["throws.ts", "throw new Error('no configuration')", /: no configuration\n$/],
      ["nothing.ts", "export const n = 1;", /exports no workflow\. Export what workflow/],
      [
        "unbuilt.ts",
        `const one = step("one", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
         export const order = workflow("order", { key: "id", input: type(), start: one });`,
        /exports no workflow\. One of its exports is not built yet: end it with \.build\(\)/,
      ],
      [
        "twice.ts",
        `export const all = [before, after];`,
        /two different ones are named "order" version 1/,
      ],
    ] as const;
    for (const [name, text, sentence] of cases) {
      const { code, out, error } = await checked([program(name, text)], { url });
      assertEquals([code, out], [1, ""], error);
      assertMatch(error, sentence);
    }
    const later = "Promise.reject(new Error('later')); await new Promise(() => {});";
    const rejected = await run([program("later.ts", later)], url);
    assertEquals([rejected.code, rejected.out], [1, ""], rejected.error);
    assertMatch(rejected.error, /: later\n$/);
    const none = await checked(["nowhere.ts"], { url });
    assertEquals([none.code, none.out], [2, ""]);
    assertMatch(none.error, /^Cannot run "check": there is no file "nowhere\.ts"\n/);
    const nothing = await checked([], { url });
    assertEquals(nothing.code, 2);
    assertMatch(nothing.error, /name the module that exports the workflows/);
    const fine = program("fine.ts", "export { mail };");
    const bare = await checked([fine], { url });
    assertEquals(bare.code, 1);
    assertMatch(bare.error, /hephaestus migrate/);
  });

  it("says what to do where Node cannot read TypeScript", {
    skip: "Deno" in globalThis || "typescript" in process.features,
  }, async () => {
    const { code, error } = await command(["check", program("typed.ts", "export { mail };")]);
    assertEquals(code, 1);
    assertMatch(error, /Node 20\S+ cannot run its TypeScript .*NODE_OPTIONS="--import tsx"/);
    assert(!error.includes("    at "));
  });
});
