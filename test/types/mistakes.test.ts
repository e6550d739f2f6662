import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { compile, compilers } from "./compiler.ts";

const sources = ["mistakes.ts", "word_mistakes.ts"].map((file) => ({
  file,
  lines: readFileSync(new URL(file, import.meta.url), "utf8").split("\n"),
}));
const golden = readFileSync(new URL("mistakes.txt", import.meta.url), "utf8");

/** What matters of an error: our own sentence if there is one, else the head of the compiler's. */
function sentence(error: string): string {
  const ours = /Mistake<("[^"]*"(?: \| "[^"]*")*)>/.exec(error)?.[1];
  if (ours !== undefined) return ours.slice(1, -1).split(`" | "`).sort().join("\n  ");
  const missing = /Property '\w+' is missing/.exec(error)?.[0];
  if (missing !== undefined) return missing;
  const [head = "", hint = ""] = error.split("\n")[0]?.split(/ (?=Did you mean)/) ?? [];
  const said = head.replace(
    /,? (?:and|in type|on type|to type|to parameter of type|from type) .*$/,
    "",
  )
    .replace(/\.$/, "");
  return hint === "" ? said : `${said}. ${hint}`;
}

/** Each mistake by its name, with what the compiler says to it. */
function answers(output: string): string {
  const said = new Map<string, string[]>();
  const elsewhere: string[] = [];
  for (const error of output.split(/\n(?=\S)/)) {
    const [, line, text] = /^test[\\/]types[\\/](\w*mistakes\.ts\(\d+),\d+\): error \w+: (.*)$/s
      .exec(error.trimEnd()) ?? [];
    if (line === undefined || text === undefined) elsewhere.push(error.trimEnd());
    else said.set(line, [...(said.get(line) ?? []), sentence(text)]);
  }
  assertEquals(elsewhere.join("\n"), "");

  const report: string[] = [];
  for (const { file, lines } of sources) {
    for (const [index, line] of lines.entries()) {
      const about = said.get(`${file}(${index + 1}`) ?? [];
      const name = /^\/\/ (.*)$/.exec(lines[index - 1] ?? "")?.[1];
      if (name !== undefined) report.push(`${name}\n  ${about.join("\n  ALSO ")}`);
      else if (about.length > 0) report.push(`UNEXPECTED: ${line}\n  ${about.join("\n  ")}`);
    }
  }
  return report.join("\n") + "\n";
}

for (const compiler of compilers) {
  describe(`the types, checked by ${compiler}`, () => {
    it("answer each mistake with one sentence and right flows with none", () => {
      assertEquals(answers(compile(compiler, "--project", "test/types")), golden);
    });
  });
}
