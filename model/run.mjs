// npm run model -- [--quick] [--world built|children|protocol] [--only TEXT] [--where TEXT] [--limit STATES] [--traces]
import { parseArgs } from "node:util";
import * as builtWorld from "./built/world.mjs";
import { built, scenarios, variants } from "./built/variants.mjs";
import * as childrenWorld from "./children/world.mjs";
import * as children from "./children/variants.mjs";
import { check } from "./check.mjs";
import { quick } from "./quick.mjs";
import * as protocolWorld from "./protocol/world.mjs";
import * as protocol from "./protocol/variants.mjs";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    world: { type: "string", default: "" },
    only: { type: "string", default: "" },
    where: { type: "string", default: "" },
    limit: { type: "string", default: "1000000" },
    traces: { type: "boolean", default: false },
  },
});

/** Every run that there is: what is changed, what is expected, and where it is looked for. */
function* runs() {
  for (const [name, [diff, expected, where]] of Object.entries(variants)) {
    const places = Object.entries(scenarios)
      .filter(([place]) => where === undefined || where.some((text) => place.includes(text)))
      .map(([place, scenario]) => [place, { ...built, ...diff, ...scenario }]);
    yield { world: "built", of: builtWorld, name, expected, places };
  }
  for (const [name, [diff, expected]] of Object.entries(children.variants)) {
    const places = Object.entries(children.scenarios)
      .map(([place, scenario]) => [place, { ...children.built, ...diff, ...scenario }]);
    yield { world: "children", of: childrenWorld, name, expected, places };
  }
  for (const [name, [diff, expected]] of Object.entries(protocol.variants)) {
    const places = Object.entries(protocol.modes).flatMap(([mode, inline]) =>
      Object.entries(protocol.scenarios).map(([place, scenario]) => [
        `${mode}, ${place}`,
        { ...protocol.proposed, ...diff, ...scenario, inline },
      ])
    );
    yield { world: "protocol", of: protocolWorld, name, expected, places };
  }
}

function wanted({ world, name }) {
  if (options.quick) return name in quick[world];
  return (options.world === "" || options.world === world) && name.includes(options.only);
}

/** Looks for a violation in each place, and stops at the first where one is expected. */
function judge({ world, of, name, expected, places }) {
  const began = performance.now();
  const found = { states: 0, places: 0, capped: 0, deadlock: false, worst: undefined };
  for (const [place, config] of places) {
    if (!place.includes(options.where)) continue;
    if (options.quick && !quick[world][name].includes(place)) continue;
    const one = check(of, config, { limit: Number(options.limit) });
    found.places++;
    found.states += one.states;
    found.capped += one.capped ? 1 : 0;
    found.deadlock ||= one.deadlock !== null;
    for (const [kind, trace] of one.violations) {
      if (found.worst === undefined || trace.length < found.worst.trace.length) {
        found.worst = { kind, place, trace };
      }
    }
    if (found.worst !== undefined && expected === "fails") break;
  }
  return { ...found, seconds: (performance.now() - began) / 1000 };
}

let wrong = 0;
for (const run of runs()) {
  if (!wanted(run)) continue;
  const { states, places, capped, deadlock, worst, seconds } = judge(run);
  const verdict = worst === undefined ? "holds" : "fails";
  const as = verdict === run.expected ? "" : ` (EXPECTED: ${run.expected})`;
  if (as !== "") wrong++;
  console.log(
    `${run.world} | ${run.name} | ${verdict}${as} | ${places} | ${states} | ${
      seconds.toFixed(1)
    } s` +
      ` | ${deadlock ? "deadlocks, retried" : ""}${capped ? ` ${capped} CUT SHORT` : ""}` +
      ` | ${worst ? `${worst.kind} (${worst.trace.length}; ${worst.place})` : ""}`,
  );
  if (worst && (options.traces || as !== "")) {
    for (const line of worst.trace) console.log(`    ${line}`);
  }
}
if (wrong > 0) process.exitCode = 1;
