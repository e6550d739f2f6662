import process from "node:process";
import { check, type CheckedVersion, type DeployCheck } from "../postgres/mod.ts";
import { UsageError } from "./failure.ts";
import { databaseOf } from "./migrate.ts";
import { workflowsIn } from "./module.ts";

export interface CheckValues {
  readonly schema?: string | undefined;
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
  readonly ignore?: readonly string[] | undefined;
}

/**
 * `hephaestus check`: compares the workflows that modules export with the open instances. Returns
 * the exit code: 1 if instances are open that cannot continue with this code.
 */
export async function runCheck(files: readonly string[], values: CheckValues): Promise<number> {
  if (files.length === 0) {
    throw new UsageError(`Cannot run "check": name the module that exports the workflows`);
  }
  const { schema = "hephaestus", json = false, ignore } = values;
  const workflows = [];
  for (const file of files) workflows.push(...await workflowsIn(file));
  const report = await check({ ...databaseOf(values), schema, workflows, ignore });
  if (json) printJson(report);
  else print(report);
  return report.ok ? 0 : 1;
}

function print({ ok, versions }: DeployCheck): void {
  const names = versions.map(({ workflow, version }) => `${workflow} ${version}`);
  const width = Math.max(0, ...names.map(({ length }) => length));
  for (const [at, one] of versions.entries()) {
    const head = `${names[at]!.padEnd(width)}  ${one.verdict.padEnd(12)}  ${countOf(one)}`;
    console.log(head.trimEnd());
    for (const line of detailsOf(one)) console.log(folded(line));
  }
  console.log(ok ? "every open instance can continue" : "some open instances cannot continue");
}

function countOf({ open, oldest }: CheckedVersion): string {
  if (open === 0) return "";
  return `${open} open, since ${oldest?.toISOString().slice(0, 10)}`;
}

/** What stands below the line of a version. */
function detailsOf(one: CheckedVersion): readonly string[] {
  const { workflow, verdict, steps, changes, comparedWith, version, sentence } = one;
  if (verdict === "new") return [];
  if (verdict === "safe" || verdict === "retire") return [sentence];
  const against = comparedWith === undefined || comparedWith === version
    ? ""
    : `in version ${comparedWith}, `;
  const at = Object.entries(steps).sort(([, a], [, b]) => b - a)
    .map(([step, open]) => `${open} at "${step}"`);
  return [
    ...changes.map((change) => `${against}${change}`),
    ...(at.length > 0 ? [`instances of "${workflow}": ${at.join(", ")}`] : []),
    sentence,
  ];
}

/** Breaks a line between words, so that it fits into the terminal. */
function folded(text: string): string {
  const width = Math.max(40, Math.min(100, process.stdout.columns ?? 100)) - 2;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= width || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.map((line, at) => `${at === 0 ? "  " : "    "}${line}`).join("\n");
}

function printJson({ ok, versions }: DeployCheck): void {
  const shown = versions.map((one) => ({
    workflow: one.workflow,
    version: one.version,
    verdict: one.verdict,
    open: one.open,
    oldest: one.oldest?.toISOString() ?? null,
    steps: one.steps,
    changes: one.changes,
    comparedWith: one.comparedWith ?? null,
    sentence: one.sentence,
  }));
  console.log(JSON.stringify({ ok, versions: shown }));
}
