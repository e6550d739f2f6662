// Invites three users and moves the clock by three weeks: npm run example onboarding
import { Hephaestus } from "../../mod.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { mailsOf } from "./mail.ts";
import { clicked, onboarding } from "./workflow.ts";

console.error(simulate(onboarding).toText());

const clock = fakeClock();
await using hephaestus = new Hephaestus({
  backend: memory({ clock }),
  workflows: [onboarding],
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await using _worker = hephaestus.work({ poll: "10ms" });

const users = ["ada", "bob", "eve"];
const handles = await hephaestus.startMany(
  onboarding,
  users.map((key) => ({ key, input: undefined })),
);

await clock.run("1h");
await hephaestus.resume(onboarding, "ada", clicked.emit.yes());
await clock.run("2d");
await hephaestus.resume(onboarding, "bob", clicked.emit.yes());
await clock.run("20d");

const found: Record<string, object> = {};
for (const [index, user] of users.entries()) {
  const { key, status, outcome, metadata } = await handles[index]!.result();
  const history = await hephaestus.history(onboarding, user);
  found[user] = {
    status,
    outcome,
    mails: mailsOf(key),
    dropped: history.filter(({ event }) => event === "__dropped__").map(({ step }) => step),
    ...metadata,
  };
}
console.log(JSON.stringify(found));
