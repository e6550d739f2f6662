// Runs the test files of its command line, one after the other in one process.
import process from "node:process";

for (const file of process.argv.slice(2)) {
  await import(new URL(`../${file}`, import.meta.url).href);
}
