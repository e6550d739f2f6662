// The second half of npm run build: converts the ES modules of dist/ to CommonJS, and re-exports
// their names from ES modules. A process that both imports and requires the package then has one
// copy of its classes and state.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import tsup from "../tsup.config.ts";

const folder = fileURLToPath(new URL("../dist/", import.meta.url));

/** Updates references to renamed files of the bundle. */
function renamed(text: string): string {
  return text.replace(/(["'])(\.\/[\w-]+)\.js\1/g, "$1$2.cjs$1");
}

/**
 * The map without the doc comments of its sources: the declarations have them, and they took
 * 50 of the package's 449 kB. Their lines stay, because the map counts lines.
 */
function withoutDocs(map: string): string {
  const { sourcesContent, ...rest } = JSON.parse(map) as { readonly sourcesContent: string[] };
  const blank = (comment: string) => comment.replace(/[^\n]/g, "");
  const sources = sourcesContent.map((text) => text.replace(/\/\*\*[^]*?\*\//g, blank));
  return JSON.stringify({ ...rest, sourcesContent: sources });
}

async function toCommonJs(file: string): Promise<void> {
  const built = file.replace(/\.js$/, ".cjs");
  const { code, map } = await transform(renamed(readFileSync(join(folder, file), "utf8")), {
    format: "cjs",
    platform: "node",
    target: "node20",
    sourcefile: file,
    sourcemap: "external",
  });
  writeFileSync(join(folder, built), `${code}//# sourceMappingURL=${built}.map\n`);
  writeFileSync(join(folder, `${built}.map`), withoutDocs(map));
  rmSync(join(folder, file));
}

function handOn(name: string): void {
  const built = join(folder, `${name}.cjs`);
  const [first = ""] = readFileSync(built, "utf8").split("\n");
  const write = (ending: string, text: string) => writeFileSync(join(folder, name + ending), text);
  if (first.startsWith("#!")) {
    // A command runs when it is loaded, and has no exports.
    write(".js", `${first}\nimport "./${name}.cjs";\n`);
    for (const ending of [".d.ts", ".d.cts"]) write(ending, "export {};\n");
  } else {
    const names = Object.keys(createRequire(built)(built)).sort();
    // An entry point that exports only types has no names.
    const listed = names.length === 0 ? "{}" : `{\n  ${names.join(",\n  ")},\n}`;
    write(".js", `export ${listed} from "./${name}.cjs";\n`);
    write(".d.ts", `export * from "./${name}.cjs";\n`);
  }
}

for (const file of readdirSync(folder)) {
  if (file.endsWith(".js")) await toCommonJs(file);
  else if (file.endsWith(".d.ts")) {
    const path = join(folder, file);
    writeFileSync(path, renamed(readFileSync(path, "utf8")));
    renameSync(path, path.replace(/\.d\.ts$/, ".d.cts"));
  }
}
const { entry } = tsup as { readonly entry: Record<string, string> };
for (const name of Object.keys(entry)) handOn(name);
