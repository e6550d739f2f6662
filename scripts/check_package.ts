// Prints the size of the package and the time of its import. Only the size can fail, because the
// time depends on the load of the machine.
//   node --import tsx scripts/check_package.ts <tarball>
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { gunzipSync } from "node:zlib";

/**
 * Maximum size of the tarball in bytes. It was 412,000 before the words of control flow. `drop` and
 * `simulate` added 23,000. `undo`, `returns`, times and deadlines, `retry`, and the check of a deploy
 * with its moves added 85,000, more than half of it source maps.
 */
const most = 625_000;
const imports = 7;

/** Bytes of the files in a tar archive. */
function unpacked(tar: Uint8Array): number {
  let total = 0;
  for (let at = 0; tar[at];) {
    const header = new TextDecoder("latin1").decode(tar.subarray(at, at + 512));
    const size = Number.parseInt(header.slice(124, 136), 8);
    if (header[156] === "0") total += size;
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return total;
}

/** Milliseconds to import the built package, in a new process. */
function importTime(): number {
  const built = new URL("../dist/mod.js", import.meta.url).href;
  const program = `const begun = performance.now();
    await import(${JSON.stringify(built)});
    console.log(performance.now() - begun);`;
  const args = ["--input-type=module", "--eval", program];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

const tarball = readFileSync(process.argv[2] ?? "");
const bytes = (count: number) => `${count.toLocaleString("en")} bytes`;
const times = Array.from({ length: imports }, importTime).sort((one, other) => one - other);
const median = times[(imports - 1) / 2]?.toFixed(0);
console.log(
  `${bytes(tarball.length)} packed (at most ${bytes(most)}), ${
    bytes(unpacked(gunzipSync(tarball)))
  } ` +
    `unpacked, imported in ${median} ms (the median of ${imports})`,
);
if (tarball.length > most) {
  console.error(
    `Cannot accept a tarball of ${bytes(tarball.length)}: the limit is ${bytes(most)}. ` +
      "Find what has grown. Raise the limit in scripts/check_package.ts only if it is worth it",
  );
  process.exitCode = 1;
}
