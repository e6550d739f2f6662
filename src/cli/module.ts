import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { CheckOptions } from "../postgres/mod.ts";
import { sentenceOf, UsageError } from "./failure.ts";

/** A workflow or several versions of one, as a module exports it. */
type Definition = CheckOptions["workflows"][number];

/** Milliseconds that a module may take to load. */
const longest = 30_000;

/**
 * Imports a module, and returns the workflows among its exports. They may come from another copy of
 * this library than the command line.
 */
export async function workflowsIn(file: string): Promise<readonly Definition[]> {
  const path = resolve(file);
  if (!(await exists(path))) {
    throw new UsageError(`Cannot run "check": there is no file "${file}"`);
  }
  const exported = Object.values(await load(path, file)).flat(Infinity);
  const found = [...new Set(exported.filter(isDefinition))];
  // A version that is also exported by itself does not have its number there.
  const versions = found.flatMap((one) => "versions" in one ? [...one.versions.values()] : []);
  const graphs = new Set(versions.map(({ graph }) => graph));
  if (found.length > 0) return found.filter((one) => "versions" in one || !graphs.has(one.graph));
  const unbuilt = exported.some(isBuilder);
  throw new Error(
    `Cannot check "${file}": it exports no workflow. ` +
      (unbuilt
        ? "One of its exports is not built yet: end it with .build()"
        : "Export what workflow(...).build() or versioned(...) returns, or an array of them"),
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    // Without the right to look, the import says so.
    return true;
  }
}

async function load(path: string, file: string): Promise<Record<string, unknown>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failing = new Promise<never>((_, reject) => {
    // They stay until the command ends: what the module does by itself is not part of the check.
    for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, reject);
    // The timer also keeps the process alive while the module waits for something that never comes.
    timer = setTimeout(() => {
      const why = `it has not finished loading after ${longest / 1000} seconds`;
      reject(new Error(`${why}. It must not wait for a worker or for a server to end`));
    }, longest);
  });
  try {
    return await quietly(() => Promise.race([import(pathToFileURL(path).href), failing]));
  } catch (error) {
    throw new Error(`Cannot load "${file}": ${reasonOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** What the module prints must not be taken for the result. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log, info, debug } = console;
  Object.assign(console, { log: console.error, info: console.error, debug: console.error });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info, debug });
  }
}

const untyped =
  /^ERR_(UNKNOWN_FILE_EXTENSION|UNSUPPORTED_TYPESCRIPT_SYNTAX|UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING|INVALID_TYPESCRIPT_SYNTAX)$/;

function reasonOf(error: unknown): string {
  const reason = sentenceOf(error).split("\n")[0]!;
  if (!untyped.test(codeOf(error))) return reason;
  return `Node ${process.versions.node} cannot run its TypeScript (${reason}). Use Node 22.18 or later ` +
    `and no syntax beyond types, or let tsx load it: NODE_OPTIONS="--import tsx" npx hephaestus check ...`;
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | undefined | null)?.code ?? "");
}

/** By its shape, because another copy of the library may have made it. */
function isDefinition(value: unknown): value is Definition {
  if (!isObject(value) || typeof value["name"] !== "string") return false;
  return value["versions"] instanceof Map ||
    (isObject(value["graph"]) && typeof value["fingerprint"] === "string");
}

function isBuilder(value: unknown): boolean {
  return isObject(value) && typeof value["on"] === "function" &&
    typeof value["build"] === "function";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
