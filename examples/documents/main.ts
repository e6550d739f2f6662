// Reads three documents, and scans pages of two of them again: npm run example documents
import { Hephaestus } from "../../mod.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { type Missing, scanAgain } from "./reader.ts";
import { documents, person } from "./workflow.ts";

console.error(simulate(documents, { rounds: 2 }).toText());

const clock = fakeClock();
await using hephaestus = new Hephaestus({
  backend: memory({ clock }),
  workflows: [documents],
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await using _worker = hephaestus.work({ poll: "10ms" });

const lengths = { report: 3, contract: 5, letter: 2 };
const handles = await hephaestus.startMany(
  documents,
  Object.entries(lengths).map(([name, pages]) => ({ key: name, input: { name, pages } })),
);

await clock.run("1h");
// One page is scanned again, and an hour later the other one.
for (const page of [1, 3]) {
  scanAgain("contract", page);
  await hephaestus.resume(documents, "contract", person.emit.scanned({ pages: [page] }));
  await clock.run("1h");
}
await clock.run("8d");

const found: Record<string, object> = {};
for (const [index, document] of Object.keys(lengths).entries()) {
  const { status, outcome, output } = await handles[index]!.result();
  const history = await hephaestus.history(documents, document);
  const read = history.filter(({ event }) => event === "chosen")
    .map(({ output }) => (output as Missing).pages.length);
  const failed = history.filter(({ step, event }) =>
    step === "read[]" && event === "failed"
  ).length;
  found[document] = { status, outcome, output, read, failed };
}
console.log(JSON.stringify(found));
