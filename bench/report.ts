import { cpus, loadavg } from "node:os";
import process from "node:process";
import type { Result } from "./bench.ts";
import type { Options } from "./options.ts";

/** Prints a table for people on stderr and one line of JSON on stdout. */
export function print(options: Options, about: string, result: Result): void {
  const { workload, ...given } = options;
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
  const load = loadavg().map((load) => Number(load.toFixed(1)));
  const setting = { runtime: runtime(), machine, load, server: about, date: today() };
  console.error(`${workload} ${JSON.stringify(given)}`);
  console.error(Object.values(setting).map(String).join("; "));
  if (workload === "chain") {
    console.error("From the first start to the end of the last instance, starts included");
  }
  if (result.bare) console.error(`The bare loop:${result.bare.sql.replaceAll("\n", "\n  ")}`);
  console.error(table({ [workload]: result, ...besides(result) }));
  for (const [name, value] of Object.entries(result)) {
    if (!besides(result)[name] && !shown(value)) console.error(`${name}: ${JSON.stringify(value)}`);
  }
  console.log(JSON.stringify({ workload, ...result, options: given, ...setting }));
}

type Columns = Readonly<Record<string, object>>;

/** Further figures in columns of their own. */
function besides(result: Result): Columns {
  return Object.fromEntries(
    Object.entries(result).filter((entry): entry is [string, object] =>
      typeof entry[1] === "object" && entry[1] !== null && "stepsPerSecond" in entry[1]
    ),
  );
}

function shown(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function table(columns: Columns): string {
  const names = Object.keys(columns);
  const rows = Object.entries(columns[names[0]!]!).filter(([, value]) => shown(value));
  const cell = (name: string, row: string) =>
    String((columns[name] as Record<string, unknown>)[row] ?? "-").padStart(12);
  return [
    " ".repeat(24) + names.map((name) => name.padStart(12)).join(""),
    ...rows.map(([row]) => row.padEnd(24) + names.map((name) => cell(name, row)).join("")),
  ].join("\n");
}

function runtime(): string {
  const { deno } = process.versions as { readonly deno?: string };
  return deno === undefined ? `Node ${process.version}` : `Deno ${deno}`;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
