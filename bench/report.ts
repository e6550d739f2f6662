import { cpus } from "node:os";
import process from "node:process";
import type { Options } from "./options.ts";
import type { Throughput } from "./throughput.ts";

/** Prints a table for people on stderr and one line of JSON on stdout. */
export function print(options: Options, about: string, result: Throughput): void {
  const { workload, workflows, processes, slots, inline } = options;
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
  const { bare, ratio, ...own } = result;
  console.error(
    `${workload}: ${workflows} instances, ${processes} processes of ${slots} slots, inline ${inline}`,
  );
  console.error(`${runtime()}, ${machine}, ${about}`);
  const { sql, ...limit } = bare ?? {};
  if (sql) console.error(`bare loop:${sql.replace(/^/gm, "  ")}`);
  console.error(table({ [workload]: own, ...(bare ? { "bare loop": limit } : {}) }));
  if (ratio) console.error(`rate ${ratio.rate} of the bare loop's, CPU ${ratio.cpu} times`);
  console.log(JSON.stringify({ ...options, runtime: runtime(), machine, about, ...result }));
}

function table(columns: Readonly<Record<string, object>>): string {
  const names = Object.keys(columns);
  const rows = Object.keys(columns[names[0]!]!);
  const cell = (name: string, row: string) =>
    String((columns[name] as Record<string, unknown>)[row] ?? "-").padStart(14);
  return [
    " ".repeat(22) + names.map((name) => name.padStart(14)).join(""),
    ...rows.map((row) => row.padEnd(22) + names.map((name) => cell(name, row)).join("")),
  ].join("\n");
}

function runtime(): string {
  const { deno } = process.versions as { readonly deno?: string };
  return deno === undefined ? `Node ${process.version}` : `Deno ${deno}`;
}
