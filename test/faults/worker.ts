// A worker process of the fault runs. Whatever it does not catch ends it, and so fails the run.
import process from "node:process";
import { Hephaestus } from "../../mod.ts";
import { everything } from "./hostile.ts";
import { lease } from "./plan.ts";

const [url, name, inline] = process.argv.slice(2);
const said = process.env.FAULTS_LOG
  ? (...words: readonly unknown[]) => console.error(name, Date.now(), ...words)
  : () => {};
const hephaestus = new Hephaestus({
  url: url!,
  inline: inline === "true",
  workflows: Object.values(everything),
  logger: { debug() {}, info() {}, warn: said, error: said },
  poolSize: 9,
  statementTimeout: "2s",
});
const worker = hephaestus.work({
  name: name!,
  poll: "100ms",
  lease: `${lease}ms`,
  heartbeat: `${lease / 5}ms`,
  grace: "1s",
  queues: { default: 12 },
});
process.on("SIGTERM", () => void hephaestus.close().then(() => process.exit(0)));
await worker.ready;
console.log("ready");
