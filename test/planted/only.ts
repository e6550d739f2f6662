// Loaded before a test file: of its tests, those run whose full name contains the text in
// HEPHAESTUS_ONLY. Node 20 compares its --test-name-pattern with the name without the suites.
import { createRequire, syncBuiltinESMExports } from "node:module";
import process from "node:process";

type Register = (name: string, ...more: unknown[]) => unknown;

const wanted = process.env.HEPHAESTUS_ONLY ?? "";
const runner: { describe: Register; it: Register } = createRequire(import.meta.url)("node:test");
const { describe, it } = runner;
const suites: string[] = [];

runner.describe = (name, ...more) => {
  const body = more.pop() as () => unknown;
  return describe(name, ...more, () => {
    suites.push(name);
    try {
      return body();
    } finally {
      suites.pop();
    }
  });
};
runner.it = (name, ...more) =>
  [...suites, name].join(" ").includes(wanted) ? it(name, ...more) : undefined;
syncBuiltinESMExports();
