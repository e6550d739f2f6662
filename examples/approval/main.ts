// Asks for four purchases and moves the clock by three weeks: npm run example approval
import { Hephaestus } from "../../mod.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { mailsAbout } from "./mail.ts";
import { approval, director, manager } from "./workflow.ts";

console.error(simulate(approval).toText());

const clock = fakeClock();
await using hephaestus = new Hephaestus({
  backend: memory({ clock }),
  workflows: [approval],
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await using _worker = hephaestus.work({ poll: "10ms" });

const items = ["chair", "desk", "lamp", "car"];
const handles = await hephaestus.startMany(
  approval,
  items.map((item, index) => ({ key: item, input: { item, price: 100 * (index + 1) } })),
);

await clock.run("1h");
await hephaestus.resume(approval, "chair", manager.emit.approved({ by: "maria" }));
await clock.run("4d");
await hephaestus.resume(approval, "desk", director.emit.refused({ why: "there is one" }));
await hephaestus.resume(approval, "lamp", manager.emit.approved({ by: "maria" }));
await clock.run("20d");

const found: Record<string, object> = {};
for (const [index, item] of items.entries()) {
  const { key, status, outcome, error } = await handles[index]!.result();
  const history = await hephaestus.history(approval, item);
  found[item] = {
    status,
    ...(outcome && { outcome }),
    ...(error && { code: error.code }),
    mails: mailsAbout(key),
    dropped: history.filter(({ event }) => event === "__dropped__").map(({ step }) => step),
  };
}
console.log(JSON.stringify(found));
