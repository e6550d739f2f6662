// A worker process of the tests: killed, stopped, or with a wrong clock.
import process from "node:process";
import { Hephaestus } from "../../mod.ts";
import { silent } from "../everywhere.ts";
import { crashing } from "./workflow.ts";

const [url, inline, days] = process.argv.slice(2);
// Only what the machine believes changes: the database's clock stays.
const wrong = Number(days ?? 0) * 86_400_000;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(...(given.length === 0 ? [RealDate.now() + wrong] : given) as [number]);
  }
  static override now(): number {
    return RealDate.now() + wrong;
  }
} as DateConstructor;

const hephaestus = new Hephaestus({
  url: url!,
  inline: inline === "true",
  workflows: [crashing],
  logger: silent,
  poolSize: 9,
});
const worker = hephaestus.work({
  poll: "50ms",
  lease: "400ms",
  heartbeat: "100ms",
  grace: "1ms",
  queues: { default: 8 },
});
await worker.ready;
process.on("SIGTERM", () => void hephaestus.close().then(() => process.exit(0)));
console.log("ready");
