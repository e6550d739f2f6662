// Lets a stand-in for a language model answer four questions: npm run example agent
import { Hephaestus } from "../../mod.ts";
import { fakeClock, memory, simulate } from "../../src/testing/mod.ts";
import { agent, person } from "./workflow.ts";

console.error(simulate(agent).toText());

const clock = fakeClock();
await using hephaestus = new Hephaestus({
  backend: memory({ clock }),
  workflows: [agent],
  logger: { debug() {}, info() {}, warn() {}, error: console.error },
});
await using _worker = hephaestus.work({ poll: "10ms" });

const questions = {
  weather: "What is the weather in Rome?",
  flight: "Book a flight to Rome",
  hotel: "Book a hotel in Rome",
  offers: "Compare all offers",
};
const handles = await hephaestus.startMany(
  agent,
  Object.entries(questions).map(([key, question]) => ({ key, input: { question } })),
);

await clock.run("1h");
const said = { from: "person", text: "the first one", cost: 0 } as const;
await hephaestus.resume(agent, "flight", person.emit.said(said));
await clock.run("2d");

const found: Record<string, object> = {};
for (const [index, chat] of Object.keys(questions).entries()) {
  const { status, outcome, output } = await handles[index]!.result();
  const history = await hephaestus.history(agent, chat);
  const rounds = history.filter(({ step }) => step === "think").length;
  found[chat] = { status, outcome, output, rounds };
}
console.log(JSON.stringify(found));
