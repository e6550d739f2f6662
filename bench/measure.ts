import type { BenchDatabase } from "./database.ts";
import { serverCpu } from "./server_cpu.ts";

/** What something has cost. CPU in microseconds. */
export interface Cost {
  readonly seconds: number;
  readonly wal: number;
  readonly transactions: number;
  readonly statements: number | undefined;
  readonly serverCpu: number | undefined;
  readonly clientCpu: number;
}

/** What does the work that is measured. */
export interface Measured {
  /** Microseconds of CPU so far, of all client processes. */
  cpu(): Promise<number>;
  /** Statements sent so far, for a server that does not count them; `undefined` where nobody does. */
  sent(): Promise<number | undefined>;
  run(): Promise<void>;
  /** Ends its sessions, which are called `application`. */
  close(): Promise<void>;
  readonly application: string;
}

/** Runs and tells what it has cost. The sessions are ended before transactions are counted, not before time stops. */
export async function measure(database: BenchDatabase, measured: Measured): Promise<Cost> {
  const { observer, postmaster } = database;
  const server = () => (postmaster === undefined ? undefined : serverCpu(postmaster));
  const statements = async () => await observer.statements() ?? await measured.sent();
  const before = {
    transactions: await observer.transactions(),
    statements: await statements(),
    wal: await observer.wal(),
    clientCpu: await measured.cpu(),
    serverCpu: server(),
    at: performance.now(),
  };
  await measured.run();
  const at = performance.now();
  const after = {
    serverCpu: server(),
    clientCpu: await measured.cpu(),
    wal: await observer.wal(),
    statements: await statements(),
  };
  await measured.close();
  await observer.sessionsGone(measured.application);
  return {
    seconds: (at - before.at) / 1_000,
    wal: after.wal - before.wal,
    transactions: await observer.transactions() - before.transactions,
    statements: difference(after.statements, before.statements),
    serverCpu: difference(after.serverCpu, before.serverCpu),
    clientCpu: after.clientCpu - before.clientCpu,
  };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** Costs as figures for one step. */
export interface Figures {
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly transactionsPerStep: number;
  readonly walBytesPerStep: number;
  readonly statementsPerStep: number | null;
  readonly serverCpuUsPerStep: number | null;
  readonly clientCpuUsPerStep: number;
}

export function figures(cost: Cost, steps: number): Figures {
  return {
    steps,
    seconds: rounded(cost.seconds),
    stepsPerSecond: rounded(steps / cost.seconds),
    transactionsPerStep: rounded(cost.transactions / steps),
    walBytesPerStep: rounded(cost.wal / steps),
    statementsPerStep: each(cost.statements, steps),
    serverCpuUsPerStep: each(cost.serverCpu, steps),
    clientCpuUsPerStep: rounded(cost.clientCpu / steps),
  };
}

function each(amount: number | undefined, steps: number): number | null {
  return amount === undefined ? null : rounded(amount / steps);
}

/** Four digits are more than a measurement means. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
