import { Crew } from "./crew.ts";
import type { BenchDatabase } from "./database.ts";
import { type Figures, figures, measure } from "./measure.ts";
import type { Options } from "./options.ts";
import { workloadOf } from "./workloads/mod.ts";

/** The cost of a run of instances, and which processes worked. */
export interface Run extends Figures {
  /** Results that each process has recorded. */
  readonly stepsByProcess: readonly number[];
}

/** Steps per process. */
const warmUp = 20_000;

/**
 * Warms up, then measures from the first start to the end of the last instance. `name` keeps the
 * keys of runs apart.
 */
export async function run(database: BenchDatabase, options: Options, name = "run"): Promise<Run> {
  const { workflows, processes, profile } = options;
  const { steps } = workloadOf(options);
  await using crew = new Crew(database, options);
  await crew.open();
  const each = Math.max(1, Math.min(workflows, Math.round(warmUp / steps)));
  await crew.run(`warm-${name}-`, each * processes);
  await crew.close();
  await database.observer.sessionsGone("hephaestus");

  await crew.open(profile);
  const cost = await measure(database, {
    application: "hephaestus",
    usage: () => crew.usage(),
    run: () => crew.run(`${name}-`, workflows),
    close: () => crew.close(),
  });
  return {
    ...figures(cost, workflows * steps),
    stepsByProcess: await recorded(database, `id::${name}-`, workflows * steps),
  };
}

/** Counts the results at the end: figures are worthless if work was lost. */
async function recorded(
  { observer, schema }: BenchDatabase,
  prefix: string,
  expected: number,
): Promise<readonly number[]> {
  const rows = await observer.query(
    `select result.process_id::text as process, count(*)::text as steps
    from ${schema}.workflow_instances as instance
    join ${schema}.step_results as result on result.instance_id = instance.id
    where starts_with(instance.key, $1) and instance.status = 'completed' and result.processed
    group by result.process_id`,
    [prefix],
  );
  const counts = rows.map(({ steps }) => Number(steps));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === expected) return counts;
  throw new Error(`Cannot trust the run: ${total} results of ${expected} are recorded`);
}
