import type { BenchDatabase } from "./database.ts";
import type { Usage } from "./own_process.ts";
import { serverCpu } from "./server_cpu.ts";

/** The cost of a run. CPU in microseconds. */
export interface Cost {
  readonly seconds: number;
  readonly wal: number;
  readonly transactions: number;
  readonly statements: number | undefined;
  readonly serverCpu: number | undefined;
  readonly clientCpu: number;
  /** Memory of the largest client process at the end. */
  readonly clientMb: number;
}

/** The work to measure. */
export interface Measured {
  /** The resource usage that its processes report. */
  usage(): Promise<Usage>;
  run(): Promise<void>;
  /** Ends its sessions, which have the application name `application`. */
  close(): Promise<void>;
  readonly application: string;
}

/**
 * Runs the work and returns its cost. The clock stops first, then the sessions end, and then
 * transactions are counted.
 */
export async function measure(database: BenchDatabase, measured: Measured): Promise<Cost> {
  const { observer, postmaster } = database;
  const server = () => (postmaster === undefined ? undefined : serverCpu(postmaster));
  const transactions = await observer.transactions();
  const statements = await observer.statements();
  const wal = await observer.wal();
  const before = await measured.usage();
  const serverBefore = server();
  const began = performance.now();
  await measured.run();
  const ended = performance.now();
  const serverAfter = server();
  const after = await measured.usage();
  const walAfter = await observer.wal();
  const statementsAfter = await observer.statements();
  await measured.close();
  await observer.sessionsGone(measured.application);
  return {
    seconds: (ended - began) / 1_000,
    wal: walAfter - wal,
    transactions: await observer.transactions() - transactions,
    statements: difference(statementsAfter, statements) ??
      difference(after.statements, before.statements),
    serverCpu: difference(serverAfter, serverBefore),
    clientCpu: after.cpu - before.cpu,
    clientMb: after.size,
  };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** Costs per step. */
export interface Figures {
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly transactionsPerStep: number;
  readonly walBytesPerStep: number;
  readonly statementsPerStep: number | null;
  readonly serverCpuUsPerStep: number | null;
  readonly clientCpuUsPerStep: number;
  readonly clientMb: number;
}

/** CPU of server and clients, if the server's is known. */
export function cpuUsPerStep({ serverCpuUsPerStep, clientCpuUsPerStep }: Figures): number | null {
  return serverCpuUsPerStep === null ? null : rounded(serverCpuUsPerStep + clientCpuUsPerStep);
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
    clientMb: cost.clientMb,
  };
}

function each(amount: number | undefined, steps: number): number | null {
  return amount === undefined ? null : rounded(amount / steps);
}

/** Rounds to the precision of a measurement: more than four digits would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
