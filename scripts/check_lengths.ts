// Checks the length of files: one that does not fit on a few screens holds more than one thing.
import { readFileSync } from "node:fs";
import { runAsScript, sourceFiles } from "./source_files.ts";

const most = 300;
const places = ["mod.ts", "src", "test", "scripts", "examples", "bench"];

runAsScript(import.meta.url, () =>
  sourceFiles(places).flatMap((path) => {
    const lines = readFileSync(path, "utf8").trimEnd().split("\n").length;
    return lines > most ? [`"${path}" has ${lines} lines: split it, the limit is ${most}`] : [];
  }));
