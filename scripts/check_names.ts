// Checks the exports of the entry points. Each name has only one entry point, and mod.ts has few
// names, each with a reason.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { runAsScript } from "./source_files.ts";

/** A name that an entry point exports. */
interface Exported {
  readonly name: string;
  /** The file that it is re-exported from; `undefined` if it is declared here. */
  readonly from: string | undefined;
  /** The comment after it. */
  readonly reason: string | undefined;
}

/** 60, and one for each word of control flow since: drop, undo, child, each, and returns with its error. */
const most = 65;
// Used both by steps and by callers of memory({ sql }).
const twice = ["Sql"];

type Read = (path: string) => string;

/** Returns one sentence for each misplaced name. `main` is the first entry point. */
export function check(entryPoints: readonly string[], read: Read): string[] {
  const problems: string[] = [];
  const places = new Map<string, string>();
  for (const entry of entryPoints) {
    for (const { name } of exportedBy(read(entry))) {
      const other = places.get(name);
      if (other !== undefined && !twice.includes(name)) {
        problems.push(`"${entry}" exports ${name}, which "${other}" already exports`);
      }
      places.set(name, entry);
    }
  }
  const [main = ""] = entryPoints;
  const all = exportedBy(read(main));
  if (all.length > most) {
    problems.push(`"${main}" exports ${all.length} names: the limit is ${most}, see src/types.ts`);
  }
  for (const { name, from, reason } of all) {
    const path = from === undefined ? main : join(dirname(main), from);
    if (reason !== undefined || hasExample(path, name, read)) continue;
    problems.push(`"${main}" exports ${name} without an example or a reason behind it`);
  }
  return problems;
}

function exportedBy(text: string): Exported[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
  const handedOn = /^export (?:type )?\{([^}]*)\} from "([^"]+)";(?: \/\/ (.*))?$/gm;
  const declared = /^export (?:async )?(?:interface|type|class|function|const) (\w+)/gm;
  return [
    ...[...code.matchAll(handedOn)].flatMap(([, names = "", from, reason]) =>
      names.split(",").map((name) => name.trim().replace(/^type /, "")).filter(Boolean)
        .map((name) => ({ name, from, reason }))
    ),
    ...[...code.matchAll(declared)].map(([, name = ""]) => ({
      name,
      from: undefined,
      reason: undefined,
    })),
  ];
}

/**
 * Whether the documentation of a name has an example, in this file or in the file it is re-exported
 * from.
 */
function hasExample(path: string, name: string, read: Read): boolean {
  const text = read(path);
  const handedOn = exportedBy(text).find((each) => each.name === name && each.from !== undefined);
  if (handedOn?.from !== undefined) {
    return hasExample(join(dirname(path), handedOn.from), name, read);
  }
  const documented = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+(?:\/\/.*\s+)*export (?:async )?\w+ (\w+)/g;
  return [...text.matchAll(documented)].some(([, words = "", of]) =>
    of === name && words.includes("@example")
  );
}

runAsScript(import.meta.url, () => {
  const read: Read = (path) => readFileSync(path, "utf8");
  const { exports }: { readonly exports: Readonly<Record<string, string>> } = JSON.parse(
    read("deno.json"),
  );
  return check(Object.values(exports).map((path) => path.replace("./", "")), read);
});
