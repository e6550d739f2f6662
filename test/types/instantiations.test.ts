import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { compile, compilers, root } from "./compiler.ts";

/** A workflow of forks that close, four rows to a fork, with a way out of every step. */
function flow(forks: number): string {
  const files = {
    step: "define/step",
    target: "define/target",
    type: "value/type",
    workflow: "graph/builder",
  };
  const lines: string[] = Object.entries(files).map(([name, file]) =>
    `import * as ${name} from ${JSON.stringify(`${root}src/core/${file}.ts`)};`
  );
  const define = (name: string, needs: string): void => {
    lines.push(
      `const ${name} = step.step("${name}", { needs: [${needs}], ` +
        `events: { ok: type.type<{ ${name}: string }>(), no: type.type() }, ` +
        `run: ({ emit }) => emit.no() });`,
    );
  };
  const rows: string[] = [];
  for (let fork = 0; fork < forks; fork++) {
    const [open, left, right, close] = ["open", "left", "right", "close"].map((s) => s + fork);
    define(open!, fork === 0 ? "" : `close${fork - 1}.when("ok")`);
    define(left!, `${open}.when("ok")`);
    define(right!, `${open}.when("ok")`);
    define(close!, `${left}.when("ok"), ${right}.when("ok")`);
    const next = fork + 1 < forks ? `open${fork + 1}` : "target.done";
    rows.push(
      `.on(${open}, { ok: [${left}, ${right}], no: target.first(last) })`,
      `.on(${left}, { ok: target.join(${close}), no: target.first(last) })`,
      `.on(${right}, { ok: target.join(${close}), no: target.first(last) })`,
      `.on(${close}, { ok: ${next}, no: target.first(last) })`,
    );
  }
  if (forks === 0) return lines.join("\n");
  define("last", "");
  lines.push(
    `workflow.workflow("flow", { key: "id", input: type.type(), start: open0 })`,
    ...rows,
    ".on(last, { ok: target.done, no: target.done }).build();",
  );
  return lines.join("\n");
}

function measure(compiler: string, forks: number): { errors: string; instantiations: number } {
  const folder = mkdtempSync(join(tmpdir(), "hephaestus-types-"));
  try {
    writeFileSync(join(folder, "flow.ts"), flow(forks));
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        typeRoots: [join(root, "node_modules/@types")],
        extendedDiagnostics: true,
      },
      files: ["flow.ts"],
      include: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const output = compile(compiler, "--project", folder);
    const [, instantiations] = /^Instantiations:\s+(\d+)$/m.exec(output) ?? [];
    const errors = output.split("\n").filter((line) => line.includes("error TS")).join("\n");
    return { errors, instantiations: Number(instantiations) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const compiler of compilers) {
  describe(`the types of a workflow, checked by ${compiler}`, () => {
    it("cost at most 45,800 instantiations for 21 steps", () => {
      const bare = measure(compiler, 0);
      const built = measure(compiler, 5);

      assertEquals(built.errors, "");
      const cost = built.instantiations - bare.instantiations;
      assert(cost > 0 && cost <= 45_800, `21 steps cost ${cost} instantiations`);
    });
  });
}

describe("the types of a large workflow", () => {
  it("bear 81 steps", () => {
    // The newest compiler only: the depth it allows is the same and the other takes ten seconds.
    assertEquals(measure("typescript7", 20).errors, "");
  });
});
