import { setTimeout as delay } from "node:timers/promises";
import { bareLoop, bareStatement } from "./bare_loop.ts";
import type { BenchDatabase } from "./database.ts";
import { fillHistory } from "./history.ts";
import { inLanes } from "./lanes.ts";
import { latency } from "./latency.ts";
import { cpuUsPerStep, type Figures, figures, rounded } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Run, run } from "./run.ts";
import { starts } from "./start.ts";
import { workloadOf } from "./workloads/mod.ts";

/** The figures of a workload and of its baseline. */
export interface Result extends Figures {
  readonly bare?: Figures & { readonly sql: string };
  readonly [more: string]: unknown;
}

/** Runs a workload. */
export async function bench(database: BenchDatabase, options: Options): Promise<Result> {
  switch (options.workload) {
    case "start":
      return { ...await starts(database, options) };
    case "latency":
      return { ...await latency(database, options) };
    case "growth":
      return await growth(database, options);
    case "payload":
      return await payload(database, options);
    case "again":
      return await rounds(database, options);
    default:
      return options.wait > 0
        ? await waiting(database, options)
        : await throughput(database, options);
  }
}

async function throughput(database: BenchDatabase, options: Options): Promise<Result> {
  if (!options.compare) return { ...await run(database, options) };
  const { steps } = workloadOf(options);
  // The same number of batches for every shape of workload: at least 500 instances per lane.
  const instances = Math.max(1_000, options.workflows);
  const length = Math.ceil((options.workflows * steps) / instances);
  await bareLoop(database, 5_000, 3);
  const own = await run(database, options);
  const bare = figures(await bareLoop(database, instances, length), instances * length);
  return {
    ...own,
    bare: { ...bare, sql: bareStatement(database.schema) },
    ratio: { rate: rounded(own.stepsPerSecond / bare.stepsPerSecond), cpu: ratio(own, bare) },
  };
}

/** Baseline: the same chains on empty tables. */
async function growth(database: BenchDatabase, options: Options): Promise<Result> {
  const empty = options.compare ? await run(database, options, "empty") : undefined;
  await fillHistory(database, options);
  const own = await run(database, options);
  if (!empty) return { ...own };
  return { ...own, empty, ratio: { cpu: ratio(own, empty), wal: over(own, empty) } };
}

/**
 * Baseline: a first output of 100 bytes. The cost of the first step is measured with chains of one
 * step, and subtracted.
 */
async function payload(database: BenchDatabase, options: Options): Promise<Result> {
  const own = await run(database, options);
  if (!options.compare) return { ...own };
  const later = async (whole: Run, bytes: number, name: string) => {
    const first = await run(database, { ...options, bytes, steps: 1 }, name);
    const rest = (figure: (of: Figures) => number | null) =>
      rounded(((figure(whole) ?? 0) * options.steps - (figure(first) ?? 0)) / (options.steps - 1));
    return { cpuUsPerStep: rest(cpuUsPerStep), walBytesPerStep: rest((of) => of.walBytesPerStep) };
  };
  const small = await run(database, { ...options, bytes: 100 }, "small");
  const laterSteps = await later(own, options.bytes, "first");
  const smallLaterSteps = await later(small, 100, "small-first");
  return {
    ...own,
    laterSteps,
    smallLaterSteps,
    ratio: {
      cpu: rounded(laterSteps.cpuUsPerStep / smallLaterSteps.cpuUsPerStep),
      wal: rounded(laterSteps.walBytesPerStep / smallLaterSteps.walBytesPerStep),
    },
  };
}

/** Baseline: as many rounds, ten in each instance, with as many instances at once. */
async function rounds(database: BenchDatabase, given: Options): Promise<Result> {
  const options = { ...given, slots: Math.min(given.slots, given.workflows) };
  const own = await run(database, options);
  if (!options.compare) return { ...own };
  const few = 10;
  const workflows = Math.max(1, Math.round((options.workflows * options.rounds) / few));
  const tenRounds = await run(database, { ...options, workflows, rounds: few }, "ten");
  const each = (of: "transactionsPerStep" | "statementsPerStep") =>
    rounded((own[of] ?? NaN) / (tenRounds[of] ?? NaN));
  return {
    ...own,
    tenRounds,
    ratio: {
      cpu: ratio(own, tenRounds),
      wal: over(own, tenRounds),
      transactions: each("transactionsPerStep"),
      statements: each("statementsPerStep"),
    },
  };
}

/** Baseline: the same waits without an engine, with the same concurrency. */
async function waiting(database: BenchDatabase, options: Options): Promise<Result> {
  const own = await run(database, options);
  if (!options.compare) return { ...own };
  const began = performance.now();
  const waits = Array.from({ length: own.steps });
  await inLanes(options.slots * options.processes, waits, () => delay(options.wait));
  const idealSeconds = rounded((performance.now() - began) / 1_000);
  return { ...own, idealSeconds, ratio: { seconds: rounded(own.seconds / idealSeconds) } };
}

function ratio(own: Figures, other: Figures): number | null {
  const [mine, its] = [cpuUsPerStep(own), cpuUsPerStep(other)];
  return mine === null || its === null ? null : rounded(mine / its);
}

function over(own: Figures, other: Figures): number {
  return rounded(own.walBytesPerStep / other.walBytesPerStep);
}
