// Bills five customers and moves the clock by four weeks: npm run example billing
import { Hephaestus } from "../../mod.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { creditOf, isFree } from "./books.ts";
import { dunning, payment } from "./dunning.ts";
import { billing } from "./workflow.ts";

console.error(simulate(billing).toText());

const clock = fakeClock();
await using hephaestus = new Hephaestus({
  backend: memory({ clock }),
  workflows: [billing, dunning],
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await using _worker = hephaestus.work({ poll: "10ms" });

const customers = ["ada", "bob", "cyd", "dan", "eve"];
const handles = await hephaestus.startMany(
  billing,
  customers.map((customer) => ({ key: customer, input: { customer, cents: 2000 } })),
);

await clock.run("1m");
// The charge is not cut off: it ends, and is then undone.
await hephaestus.cancel(billing, "eve");
await clock.run("8d");
const { items } = await hephaestus.list(dunning, { parent: handles[2]!.id });
await hephaestus.resume(dunning, items[0]!.key, payment.emit.received({ transfer: "t-1" }));
await clock.run("20d");

const found: Record<string, object> = {};
for (const [index, customer] of customers.entries()) {
  const { status, outcome } = await handles[index]!.result();
  const history = await hephaestus.history(billing, customer);
  found[customer] = {
    status,
    ...(outcome && { outcome }),
    steps: history.map(({ step, event }) => `${step} ${event}`),
    waited: minutes(history[1]!.at, history.find(({ step }) => step === "charge")!.at),
    credit: creditOf(customer),
    invoice: isFree((history[0]!.output as { number: string }).number) ? "given back" : "kept",
  };
}
console.log(JSON.stringify(found));

function minutes(from: Date, to: Date): number {
  return Math.round((to.getTime() - from.getTime()) / 60_000);
}
