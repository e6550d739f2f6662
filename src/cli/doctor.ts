import { doctor, type DoctorReport } from "../postgres/mod.ts";
import { UsageError } from "./failure.ts";
import { databaseOf } from "./migrate.ts";

export interface DoctorValues {
  readonly schema?: string | undefined;
  readonly url?: string | undefined;
  readonly repair?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly limit?: string | undefined;
  readonly queue?: string | undefined;
}

/**
 * `hephaestus doctor`: prints one line per violation. Returns the exit code: 1 if there are
 * violations. Jobs that no living process can take are printed but are not violations: the workers
 * may be stopped on purpose.
 */
export async function runDoctor(words: readonly string[], values: DoctorValues): Promise<number> {
  if (words[0] !== undefined) {
    throw new UsageError(`Cannot run "doctor ${words[0]}": unexpected argument "${words[0]}"`);
  }
  const { schema = "hephaestus", queue, limit = "20" } = values;
  if (!/^[1-9]\d{0,5}$/.test(limit)) {
    throw new UsageError(
      `Cannot run "doctor": --limit must be a number from 1 to 999999, got "${limit}"`,
    );
  }
  const { repair = false, json = false } = values;
  const report = await doctor({
    ...databaseOf(values),
    schema,
    limit: Number(limit),
    repair,
    queue,
  });
  if (json) printJson(report);
  else print(report, repair, schema);
  return report.violations.length === 0 ? 0 : 1;
}

function print(
  { violations, counts, unserved }: DoctorReport,
  repair: boolean,
  schema: string,
): void {
  if (violations.length === 0) console.log(`no violations in schema "${schema}"`);
  for (const { rule, sentence, subject, repairable, repaired } of violations) {
    const of = subject === undefined ? "" : ` (${subject})`;
    const verdict = repaired
      ? " (repaired)"
      : repairable && !repair
      ? " (--repair can fix it)"
      : "";
    console.log(`${rule}: ${sentence}${of}${verdict}`);
  }
  for (const [rule, count] of Object.entries(counts)) {
    const shown = violations.filter((violation) => violation.rule === rule).length;
    if (count > shown) console.log(`${rule}: and ${count - shown} more`);
  }
  for (const sentence of unserved) console.log(`unserved: ${sentence}`);
}

function printJson({ violations, counts, unserved }: DoctorReport): void {
  const shown = violations.map(({ rule, sentence, subject, repairable, repaired, ...ids }) => {
    const { instance = null, job = null, process = null, step = null } = ids;
    return { rule, sentence, subject, instance, job, process, step, repairable, repaired };
  });
  console.log(JSON.stringify({ violations: shown, counts, unserved }));
}
