// Checks that deno.json, package.json and the bundle agree about the package.
import { readFileSync } from "node:fs";
import { version } from "../src/cli/version.ts";
import tsup from "../tsup.config.ts";
import { runAsScript } from "./source_files.ts";

export interface DenoFace {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

export interface NpmFace {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly typesVersions: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Returns one sentence per difference. `entry` maps the outputs of the bundler to their sources.
 */
export function check(
  deno: DenoFace,
  npm: NpmFace,
  entry: Readonly<Record<string, string>>,
  version: string,
): string[] {
  const sources = Object.entries(deno.exports);
  const bundled = sources.map(([path]) => [path, builtName(path)] as const);
  const expected = {
    name: deno.name,
    version: deno.version,
    license: deno.license,
    exports: {
      ...Object.fromEntries(bundled.map(([path, name]) => [
        path,
        {
          import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
          require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
        },
      ])),
      "./package.json": "./package.json",
    },
    typesVersions: {
      "*": Object.fromEntries(
        bundled.filter(([path]) => path !== ".").map((
          [, name],
        ) => [name, [`./dist/${name}.d.cts`]]),
      ),
    },
    bin: { hephaestus: "dist/cli.js" },
    dependencies: npmImports(deno, npm),
  };
  const entries = sources.map(([path, source]) => [builtName(path), source.replace("./", "")]);
  return [
    ...Object.entries(expected).flatMap(([field, value]) =>
      differs(`"${field}" of package.json`, value, npm[field as keyof NpmFace])
    ),
    ...differs("the entries of tsup.config.ts", Object.fromEntries(entries), entry),
    ...differs("src/cli/version.ts", deno.version, version),
  ];
}

/** The dependencies of package.json, at the versions of deno.json. */
function npmImports({ imports }: DenoFace, { dependencies }: NpmFace): Record<string, string> {
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => [
      name,
      imports[name]?.replace(`npm:${name}@`, "") ?? "missing in deno.json",
    ]),
  );
}

function builtName(path: string): string {
  return path === "." ? "mod" : path.replace("./", "");
}

function differs(what: string, expected: unknown, actual: unknown): string[] {
  const [wanted, found] = [JSON.stringify(expected), JSON.stringify(actual)];
  return wanted === found
    ? []
    : [`Cannot accept ${what}: deno.json asks for ${wanted}, found ${found}`];
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8"));
}

runAsScript(import.meta.url, () => {
  const { entry } = tsup as { readonly entry: Record<string, string> };
  return check(read<DenoFace>("deno.json"), read<NpmFace>("package.json"), entry, version);
});
