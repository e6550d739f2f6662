// npm run test:soak -- --minutes 10. Ends with 1 when something grows that must not.
// npm run test:soak -- --fan-out 100000 [--slots 500] measures one wide instance and small ones beside it.
import { randomUUID } from "node:crypto";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { Hephaestus, type Logger } from "../../mod.ts";
import { connect } from "../../src/postgres/driver/connect.ts";
import { migrate } from "../../src/postgres/migrations/migrate.ts";
import { startThrowaway } from "../../scripts/embedded_postgres.ts";
import { besides } from "./fan_out.ts";
import { allowed, gauge } from "./gauges.ts";
import { stories, workflows } from "./load.ts";
import { judge, type Sample } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    lanes: { type: "string", default: "4" },
    rate: { type: "string", default: "40" },
    "fan-out": { type: "string" },
    slots: { type: "string", default: "500" },
  },
});
const [minutes, lanes, rate] = [Number(values.minutes), Number(values.lanes), Number(values.rate)];
if (![minutes, lanes, rate].every((number) => number > 0)) {
  throw new TypeError("Usage: npm run test:soak -- [--minutes N] [--lanes N] [--rate N]");
}

const intervals = 18;
const warmUp = 3;
const length = (minutes * 60_000) / (intervals + warmUp);
const server = process.env.DATABASE_URL ? undefined : await startThrowaway({
  settings: { autovacuum_naptime: `${Math.max(1, Math.round(length / 2_000))}s` },
});
const url = server?.url ?? process.env.DATABASE_URL!;
const schema = `soak_${randomUUID().slice(0, 8)}`;
const sql = postgres(url, { max: 1, onnotice: () => {} });
const db = connect({ url, max: 1 });
await migrate(db, { schema }).finally(() => db.close());

if (values["fan-out"]) {
  const well = await besides({ url, schema }, Number(values["fan-out"]), Number(values.slots));
  if (!server) await sql.unsafe(`drop schema ${schema} cascade`);
  await sql.end({ timeout: 5 });
  await server?.remove();
  process.exit(well ? 0 : 1);
}

const times = { poll: "200ms", heartbeat: "1s", lease: "4s", keepJobs: "3s", grace: "2s" } as const;
const open = () => new Hephaestus({ url, schema, workflows, poolSize: 9, logger: counting() });
const count = { told: 0, stories: 0, took: 0 };

/** Counts what is told to the log: without a fault it should be nothing. */
function counting(): Logger {
  const told = (text: string, data?: object) => {
    count.told++;
    if (count.told <= 10) console.error(text, data ?? "");
  };
  return { debug() {}, info() {}, warn: told, error: told };
}

/** Begins a story every now and then until the time is over. */
async function lane(engine: Hephaestus, number: number, until: number): Promise<void> {
  for (let round = 0; performance.now() < until; round++) {
    const began = performance.now();
    await stories[(round + number) % stories.length]!(engine, randomUUID());
    count.took += performance.now() - began;
    count.stories++;
    await delay(Math.max(0, (lanes * 1_000) / rate - (performance.now() - began)));
  }
}

/** Another process as far as the database can tell comes and goes in each interval. */
async function visitor(until: number): Promise<void> {
  while (performance.now() < until) {
    await using engine = open();
    await using worker = engine.work({ ...times, queues: { default: 4 } });
    await worker.ready;
    await lane(engine, 0, Math.min(until, performance.now() + length / 3));
  }
}

const samples: Sample[] = [];
const engine = open();
let worker = engine.work({ ...times, queues: { default: 20 } });
await worker.ready;
const began = performance.now();
for (let interval = 0; interval < warmUp + intervals; interval++) {
  [count.stories, count.took] = [0, 0];
  const until = began + (interval + 1) * length;
  const running = Array.from({ length: lanes }, (_, number) => lane(engine, number, until));
  await Promise.all([...running, visitor(until)]);
  await worker.stop();
  worker = engine.work({ ...times, queues: { default: 20 } });
  await worker.ready;
  const sample = {
    second: Math.round((performance.now() - began) / 1_000),
    stories: count.stories,
    milliseconds: Math.round(count.took / Math.max(1, count.stories)),
    ...await gauge(sql, schema),
    told: count.told,
  };
  if (interval === 0) console.log(Object.keys(sample).join("\t"));
  console.log(Object.values(sample).join("\t") + (interval < warmUp ? "\t(warming up)" : ""));
  if (interval >= warmUp) samples.push(sample);
}
await engine.close();

const judged = judge(samples, allowed);
console.log("\nfirst third against last third:");
for (const { gauge, first, last, grows } of judged) {
  console.log(`${gauge}\t${first}\t${last}\t${grows ? "GROWS" : "flat"}`);
}
const [unended] = await sql`select count(*)::int as count from ${sql(schema)}.workflow_instances
  where status not in ('completed', 'failed', 'cancelled', 'undone')`;
if (!server) await sql.unsafe(`drop schema ${schema} cascade`);
await sql.end({ timeout: 5 });
await server?.remove();
console.log(`instances that never ended: ${unended!.count}`);
const grows = judged.some((each) => each.grows) || unended!.count > 0;
console.log(grows ? "verdict: it grows" : "verdict: flat");
process.exitCode = grows ? 1 : 0;
