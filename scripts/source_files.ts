import { existsSync, readdirSync, statSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * The TypeScript files in these files and folders of the repository. Generated files are excluded
 * by default.
 */
export function sourceFiles(
  places: readonly string[],
  { generated = false }: { readonly generated?: boolean } = {},
): string[] {
  return places.filter((place) => existsSync(root + place)).flatMap((place) =>
    statSync(root + place).isDirectory()
      ? readdirSync(root + place, { recursive: true, encoding: "utf8" })
        .map((file) => `${place}/${file.replaceAll("\\", "/")}`)
      : [place]
  ).filter((file) => file.endsWith(".ts") && (generated || !file.endsWith(".gen.ts"))).sort();
}

/** If this module is the main program: prints the problems, and fails if there are any. */
export function runAsScript(module: string, check: () => readonly string[]): void {
  const program = process.argv[1];
  if (program === undefined || module !== pathToFileURL(program).href) return;
  process.chdir(root);
  const problems = check();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
