// npm run test:faults -- --seconds 30 --seed 7 [--processes 4] [--runs 1] [--hostile] [--flow]
import process from "node:process";
import { parseArgs } from "node:util";
import { planOf } from "./plan.ts";
import { run } from "./world.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    processes: { type: "string", default: "3" },
    runs: { type: "string", default: "1" },
    hostile: { type: "boolean", default: false },
    flow: { type: "boolean", default: false },
    log: { type: "boolean", default: false },
  },
});
const first = Number(values.seed);
let broken = 0;
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const plan = planOf(seed, Number(values.seconds), Number(values.processes), values);
  const began = Date.now();
  const { problems, log, instances, results } = await run(plan);
  const kinds = plan.faults.map(({ kind }) => kind).sort();
  const faults = [...new Set(kinds)]
    .map((kind) => `${kind} ${kinds.filter((each) => each === kind).length}`);
  console.log(
    `seed ${seed}: ${
      plan.inline ? "inline" : "through jobs"
    }, ${instances} instances, ${results} results, ` +
      `${plan.faults.length} faults (${faults.join(", ")}), ${problems.length} problems, ` +
      `${((Date.now() - began) / 1000).toFixed(1)} s`,
  );
  if (problems.length > 0 || values.log) console.log([...log, ...problems].join("\n"));
  if (problems.length > 0) broken++;
}
process.exit(broken === 0 ? 0 : 1);
