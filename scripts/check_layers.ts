// Defines which part of the source may import which. Parts import only lower ones, never their
// siblings.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { runAsScript, sourceFiles } from "./source_files.ts";

interface Layer {
  /** Folders below src/, or single files of a folder: nothing else may be imported. */
  readonly layers: readonly string[];
  readonly packages?: readonly string[];
  /** Built-in modules that a pure layer may use. */
  readonly builtins?: readonly string[];
  /**
   * Without clock, randomness, timers, input, output or waiting: these must be passed as arguments.
   */
  readonly pure?: boolean;
}

const layers: Readonly<Record<string, Layer>> = {
  "core": { layers: [], pure: true, builtins: ["node:async_hooks"] },
  "observe": { layers: ["core"] },
  "backend": { layers: ["core"] },
  "memory": { layers: ["core", "backend"] },
  "postgres": { layers: ["core", "backend"], packages: ["postgres"] },
  "runner": { layers: ["core", "observe", "backend"] },
  // The implementation of the public class; hephaestus.ts connects it to a backend.
  "client": { layers: ["core", "observe", "backend", "runner", "postgres"] },
  "hephaestus.ts": {
    layers: ["core", "observe", "backend", "memory", "postgres", "runner", "client"],
  },
  "mod.ts": {
    layers: ["core", "observe", "backend", "postgres", "runner", "client", "hephaestus.ts"],
  },
  "types.ts": { layers: ["core", "runner", "client"] },
  "testing": { layers: ["mod.ts", "core", "backend", "memory"] },
  // The command line uses only what every program can use.
  "cli": { layers: ["postgres/mod.ts"] },
};

const impure =
  /\b(Date\.now|new Date\(\)|Math\.random|performance\.|set(?:Timeout|Interval|Immediate)|queueMicrotask|fetch\(|crypto\.|process\.|Deno\.|console\.|await\b|async function|async \()/;
const vague = /(^|[/_])(utils?|helpers?|commons?|managers?|services?)\.ts$|(^|\/)types\.ts$/;

/** Returns one sentence for each import or name that the layers forbid. */
export function check(path: string, text: string): string[] {
  const layer = layerOf(path);
  const rules = layers[layer];
  if (rules === undefined) {
    return [`Cannot place "${path}": "${layer}" is not a layer, see scripts/check_layers.ts`];
  }
  const code = withoutComments(text);
  const problems = importsOf(code).flatMap((name) => refuse(path, layer, rules, name));
  const found = rules.pure ? impure.exec(code.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""')) : null;
  if (found) {
    problems.push(
      `"${path}" uses "${found[1]}": core must not use clocks, randomness, I/O or await`,
    );
  }
  // A file that is a layer of its own is an entry point, named after its sub-path.
  if (vague.test(path) && path !== `src/${layer}`) {
    problems.push(`"${path}" has a vague name: name the file after its contents`);
  }
  return problems;
}

function refuse(path: string, layer: string, rules: Layer, name: string): string[] {
  if (name.startsWith(".")) {
    const file = join(dirname(path), name).replace(/^src\//, "");
    const target = layerOf(file);
    if (target === layer || rules.layers.includes(target) || rules.layers.includes(file)) return [];
    const face = rules.layers.find((each) => each.startsWith(`${target}/`));
    const refused = face === undefined ? target : `more of ${target} than ${face}`;
    return [`"${path}" imports "${name}": ${layer} may not import ${refused}`];
  }
  if (name.startsWith("node:")) {
    return rules.pure && !rules.builtins?.includes(name)
      ? [`"${path}" imports "${name}": ${layer} has no I/O`]
      : [];
  }
  if (rules.packages?.includes(name)) return [];
  return [`"${path}" imports "${name}": ${layer} may not import a package`];
}

function layerOf(path: string): string {
  return path.replace(/^src\//, "").split("/")[0] ?? path;
}

function importsOf(code: string): string[] {
  const statement =
    /^(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*"([^"\n]+)"|\bimport\(\s*"([^"\n]+)"/gm;
  return [...code.matchAll(statement)].map(([, name, dynamic]) => name ?? dynamic ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "");
}

/** Returns one sentence per import cycle, including imports of types. */
export function circles(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string): void => {
    const from = way.indexOf(path);
    if (from >= 0) {
      const circle = [...way.slice(from), path].map((file) => `"${file}"`);
      found.push(`Import cycle: ${circle.join(" imports ")}`);
      return;
    }
    const text = files.get(path);
    if (done.has(path) || text === undefined) return;
    way.push(path);
    for (const name of importsOf(withoutComments(text))) {
      if (name.startsWith(".")) visit(join(dirname(path), name));
    }
    way.pop();
    done.add(path);
  };
  for (const path of files.keys()) visit(path);
  return found;
}

runAsScript(import.meta.url, () => {
  const paths = sourceFiles(["mod.ts", "src"], { generated: true });
  const files = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
  return [...[...files].flatMap(([path, text]) => check(path, text)), ...circles(files)];
});
