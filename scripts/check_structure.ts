// Checks that a folder holds few files, and that each type has one name and one declaration.
import { readFileSync } from "node:fs";
import { dirname } from "node:path/posix";
import { runAsScript, sourceFiles } from "./source_files.ts";

const fewest = 3;
const most = 12;

/** Returns one sentence for each folder that holds too few or too many of these files. */
export function folders(paths: readonly string[]): string[] {
  const files = new Map<string, string[]>();
  for (const path of paths) files.set(dirname(path), [...files.get(dirname(path)) ?? [], path]);
  const parents = new Set(paths.map((path) => dirname(dirname(path))));
  return [...files].flatMap(([folder, { length }]) => {
    if (length > most) {
      return [`"${folder}" holds ${length} files: split it, the limit is ${most}`];
    }
    if (length >= fewest || parents.has(folder)) return [];
    return [`"${folder}" holds ${length} files: a folder needs at least ${fewest}`];
  });
}

/** Returns one sentence for each type that is declared in more than one of these files. */
export function doubles(files: ReadonlyMap<string, string>): string[] {
  const places = new Map<string, string[]>();
  const declared = /^(?:export )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm;
  for (const [path, text] of files) {
    for (const [, name = ""] of text.matchAll(declared)) {
      places.set(name, [...places.get(name) ?? [], path]);
    }
  }
  return [...places].flatMap(([name, where]) =>
    where.length > 1 ? [`Type "${name}" is declared in ${where.join(" and ")}`] : []
  );
}

runAsScript(import.meta.url, () => {
  const paths = sourceFiles(["src"], { generated: true });
  const files = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
  return [...folders(paths), ...doubles(files)];
});
