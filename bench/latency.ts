import { setTimeout as delay } from "node:timers/promises";
import { Hephaestus } from "../mod.ts";
import { connect } from "../src/postgres/driver/connect.ts";
import { ChildClient } from "./child.ts";
import type { BenchDatabase } from "./database.ts";
import { type Figures, figures, measure, rounded } from "./measure.ts";
import type { Options } from "./options.ts";
import { usage } from "./own_process.ts";
import { workloadOf } from "./workloads/mod.ts";

/** Milliseconds from a start to the awaited result, and of a one-row commit after each. */
export interface Latency extends Figures {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly commitP50Ms: number;
  /** The latency of an instance divided by that of a commit. */
  readonly ratio: number;
  /** Statements per second of all processes while idle. */
  readonly idleStatementsPerSecond: number | null;
}

const warmUp = 1_000;
const idle = 5_000;

/**
 * Runs one instance after the other. With two processes, this one starts and waits, and a child
 * works.
 */
export async function latency(database: BenchDatabase, options: Options): Promise<Latency> {
  const { schema, url } = database;
  const { workflows, processes, slots } = options;
  const { workflow } = workloadOf(options);
  const child = processes > 1 ? new ChildClient(database, options, () => {}) : undefined;
  const committer = connect({ url, max: 1, applicationName: "hephaestus-bare" });
  await committer.query(`create table ${schema}.bare_commits (id int primary key)`);

  let starter: Hephaestus;
  const open = async (): Promise<void> => {
    starter = new Hephaestus({ url, schema, workflows: [workflow], inline: options.inline });
    if (child) await child.open({ works: true });
    else await starter.work({ queues: { default: slots } }).ready;
  };
  const close = async (): Promise<void> => {
    await starter.close();
    await child?.close();
  };
  let keys = 0;
  const instance = async (): Promise<void> => {
    const handle = await starter.start(workflow, `n${++keys}`, {});
    const { status } = await handle.result();
    if (status !== "completed") throw new Error(`Instance "${handle.key}" is ${status}`);
  };
  const commit = () =>
    committer.query(`insert into ${schema}.bare_commits values ($1::text::int)`, [String(keys)]);

  await open();
  try {
    for (let n = 0; n < warmUp; n++) await instance();
    const idleStatementsPerSecond = await whileIdle(database);
    const pairs: { readonly instance: number; readonly commit: number }[] = [];
    for (let n = 0; n < workflows; n++) {
      pairs.push({ instance: await timed(instance), commit: await timed(commit) });
    }
    await close();
    await database.observer.sessionsGone("hephaestus");

    await open();
    const cost = await measure(database, {
      application: "hephaestus",
      async usage() {
        const [own, other] = [usage(), await child?.usage()];
        return { ...own, cpu: own.cpu + (other?.cpu ?? 0) };
      },
      async run() {
        for (let n = 0; n < workflows; n++) await instance();
      },
      close,
    });
    const times = pairs.map((pair) => pair.instance);
    const p50Ms = percentile(times, 50);
    const commitP50Ms = percentile(pairs.map((pair) => pair.commit), 50);
    return {
      ...figures(cost, workflows),
      p50Ms,
      p95Ms: percentile(times, 95),
      p99Ms: percentile(times, 99),
      commitP50Ms,
      ratio: rounded(p50Ms / commitP50Ms),
      idleStatementsPerSecond,
    };
  } finally {
    await close();
    await committer.close();
    child?.exit();
  }
}

async function whileIdle({ observer }: BenchDatabase): Promise<number | null> {
  const before = await observer.statements();
  if (before === undefined) return null;
  await delay(idle);
  return rounded(((await observer.statements() ?? before) - before) / (idle / 1_000));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return rounded(sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0);
}
