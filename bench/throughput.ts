import { bareLoop, bareStatement } from "./bare_loop.ts";
import { Crew } from "./crew.ts";
import type { BenchDatabase } from "./database.ts";
import { type Figures, figures, measure, rounded } from "./measure.ts";
import type { Options } from "./options.ts";
import { workloadOf } from "./workloads/mod.ts";

/** What a run prints as its last line. */
export interface Throughput extends Figures {
  readonly bare?: Figures & { readonly sql: string };
  readonly ratio?: { readonly rate: number; readonly cpu: number | null };
}

const warmUp = 2_000;

/** Measures from the first start to the end of the last instance. */
export async function throughput(database: BenchDatabase, options: Options): Promise<Throughput> {
  const { schema, observer } = database;
  const { workflows, compare, profile } = options;
  const workload = workloadOf(options);
  await workload.prepare?.(observer, schema);
  await using crew = new Crew(database, options);
  await crew.open();
  await crew.run("warm", Math.min(workflows, warmUp));
  await crew.close();
  if (compare) await bareLoop(database, warmUp, 3);
  await observer.sessionsGone("hephaestus");

  await crew.open(profile);
  const cost = await measure(database, {
    application: "hephaestus",
    cpu: () => crew.cpu(),
    sent: () => crew.sent(),
    run: () => crew.run("run", workflows),
    close: () => crew.close(),
  });
  const steps = workflows * workload.steps;
  const own = figures(cost, steps);
  if (!compare) return own;

  const bare = figures(await bareLoop(database, workflows, workload.steps), steps);
  return {
    ...own,
    bare: { ...bare, sql: bareStatement(schema) },
    ratio: {
      rate: rounded(own.stepsPerSecond / bare.stepsPerSecond),
      cpu: own.serverCpuUsPerStep === null || bare.serverCpuUsPerStep === null
        ? null
        : rounded(cpu(own) / cpu(bare)),
    },
  };
}

function cpu({ serverCpuUsPerStep, clientCpuUsPerStep }: Figures): number {
  return (serverCpuUsPerStep ?? 0) + clientCpuUsPerStep;
}
