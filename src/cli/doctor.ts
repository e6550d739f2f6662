import { examine, repair, untaken, type Violation } from "../postgres/doctor/doctor.ts";
import { explained, lackingIn } from "../postgres/missing.ts";
import { tablesOf } from "../postgres/sql/tables.ts";
import { UsageError } from "./failure.ts";
import { open } from "./migrate.ts";

export interface DoctorValues {
  readonly schema?: string | undefined;
  readonly url?: string | undefined;
  readonly repair?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly limit?: string | undefined;
  readonly queue?: string | undefined;
}

/**
 * `hephaestus doctor`: prints one line for each violation. Returns the exit code: 1 when there is
 * any. Jobs that no living process can take are told of and are no violation: nobody may be meant
 * to work now.
 */
export async function runDoctor(words: readonly string[], values: DoctorValues): Promise<number> {
  if (words[0] !== undefined) {
    throw new UsageError(`Cannot run "doctor ${words[0]}": unexpected argument "${words[0]}"`);
  }
  const { schema = "hephaestus", queue, limit = "20" } = values;
  if (!/^[1-9]\d{0,5}$/.test(limit)) {
    throw new UsageError(`Cannot run "doctor": "${limit}" is not a number of violations`);
  }
  const opened = open(values);
  const db = explained(opened, lackingIn(opened, tablesOf(schema)));
  try {
    const { violations, counts } = await examine(db, schema, { limit: Number(limit) });
    const repaired = values.repair
      ? await repair(db, schema, violations, queue)
      : new Set<Violation>();
    const unserved = await untaken(db, schema);
    if (values.json) printJson(violations, counts, repaired, unserved);
    else {
      print(violations, counts, repaired, values.repair ?? false, schema);
      for (const sentence of unserved) console.log(`unserved: ${sentence}`);
    }
    return violations.length === 0 ? 0 : 1;
  } finally {
    await db.close();
  }
}

function print(
  violations: readonly Violation[],
  counts: Readonly<Record<string, number>>,
  repaired: ReadonlySet<Violation>,
  repairing: boolean,
  schema: string,
): void {
  if (violations.length === 0) return console.log(`nothing is wrong in schema "${schema}"`);
  for (const violation of violations) {
    const { rule, sentence, subject, repairable } = violation;
    const of = subject === undefined ? "" : ` (${subject})`;
    const verdict = repaired.has(violation)
      ? " (repaired)"
      : repairable && !repairing
      ? " (--repair can do it)"
      : "";
    console.log(`${rule}: ${sentence}${of}${verdict}`);
  }
  for (const [rule, count] of Object.entries(counts)) {
    const told = violations.filter((violation) => violation.rule === rule).length;
    if (count > told) console.log(`${rule}: and ${count - told} more`);
  }
}

function printJson(
  violations: readonly Violation[],
  counts: Readonly<Record<string, number>>,
  repaired: ReadonlySet<Violation>,
  unserved: readonly string[],
): void {
  const told = violations.map((violation) => {
    const { rule, sentence, subject, repairable, found: { note: _, ...ids } } = violation;
    return { rule, sentence, subject, ...ids, repairable, repaired: repaired.has(violation) };
  });
  console.log(
    JSON.stringify({ violations: told, counts, unserved }),
  );
}
