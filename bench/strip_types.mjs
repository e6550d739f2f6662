// Runs TypeScript like tsx, but without the code with which tsx names each function whenever it is
// created. Users of the built package do not pay for that, so a benchmark must not.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import ts from "typescript";

if (isMainThread) register(import.meta.url);

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

/** A hook of node:module. */
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return await next(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  return { format: "module", shortCircuit: true, source: outputText };
}
