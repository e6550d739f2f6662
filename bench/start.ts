import { Hephaestus } from "../mod.ts";
import type { BenchDatabase } from "./database.ts";
import { inLanes } from "./lanes.ts";
import { type Figures, figures, measure } from "./measure.ts";
import type { Options } from "./options.ts";
import { usage } from "./own_process.ts";
import { workloadOf } from "./workloads/mod.ts";
import { items } from "./workloads/workload.ts";

/** Figures of bulk starts, and of starts one by one. */
export interface Starts extends Figures {
  readonly single: Figures;
}

const callers = 10;

/** Measures only starts: nothing works on the instances. A start counts as one step. */
export async function starts(database: BenchDatabase, options: Options): Promise<Starts> {
  const { workflows } = options;
  const { workflow, start } = workloadOf(options);
  const few = Math.max(1, Math.round(workflows / 4));
  const single = (engine: Hephaestus, prefix: string, count: number) =>
    inLanes(
      callers,
      items(prefix, 0, count, {}),
      ({ key, input }) => engine.start(workflow, key, input),
    );
  return {
    ...await measureStarts(database, options, workflows, async (engine, prefix, count) => {
      await start(engine, prefix, 0, count);
    }),
    single: await measureStarts(database, options, few, single),
  };
}

let names = 0;

async function measureStarts(
  database: BenchDatabase,
  options: Options,
  count: number,
  work: (engine: Hephaestus, prefix: string, count: number) => Promise<void>,
): Promise<Figures> {
  const prefix = `start-${++names}-`;
  const open = () =>
    new Hephaestus({
      url: database.url,
      schema: database.schema,
      workflows: [workloadOf(options).workflow],
    });
  const warm = open();
  await work(warm, `${prefix}warm-`, Math.min(count, 2_000));
  await warm.close();
  await database.observer.sessionsGone("hephaestus");

  const engine = open();
  const cost = await measure(database, {
    application: "hephaestus",
    usage: () => Promise.resolve(usage()),
    run: () => work(engine, prefix, count),
    close: () => engine.close(),
  });
  return figures(cost, count);
}
