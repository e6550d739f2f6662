// A worker process of the tests, whose steps may harm it. Tells its log on stdout, a line of JSON for each sentence.
import process from "node:process";
import postgres from "postgres";
import { Hephaestus } from "../../mod.ts";
import { hazardous, here } from "./hazards.ts";

const [url, inline, grace, slots = "1"] = process.argv.slice(2);
const sql = postgres(url!, { max: 2 });
here.hazardous = true;
here.ran = async (key, attempt) =>
  void await sql`insert into runs (key, attempt) values (${key}, ${attempt})`;
here.gateOpened = async () => {
  while ((await sql`select from gate`).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const told = (message: string, data?: object) => console.log(JSON.stringify({ message, ...data }));
const logger = { debug() {}, info() {}, warn: told, error: told };
const hephaestus = new Hephaestus({
  url: url!,
  inline: inline === "true",
  workflows: [hazardous],
  logger,
  poolSize: 7,
});
// Those that are to be rescued are given a short lease; those that are to stop must not be, on a busy machine.
const lease = grace ? "20s" : "400ms";
const queues = { default: Number(slots) };
const worker = hephaestus.work({ poll: "50ms", lease, heartbeat: "100ms", queues });
await worker.ready;
told("ready", { process: worker.id });

// As the README tells a host to do it.
let signals = 0;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, async () => {
    told("asked to stop");
    await worker.stop({ grace: signals++ === 0 ? `${Number(grace)}ms` : 0 });
    await hephaestus.close();
    process.exit();
  });
}
told("listens to signals");
