import { examine, repair, type Violation } from "../postgres/doctor.ts";
import { explained, lackingIn } from "../postgres/lacking.ts";
import { tablesOf } from "../postgres/tables.ts";
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

/** `hephaestus doctor`: prints one line for each violation. Returns the exit code: 1 when there is any. */
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
    if (values.json) printJson(violations, counts, repaired);
    else print(violations, counts, repaired, values.repair ?? false, schema);
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
    const { rule, sentence, repairable } = violation;
    const verdict = repaired.has(violation)
      ? " (repaired)"
      : repairable && !repairing
      ? " (--repair can do it)"
      : "";
    console.log(`${rule}: ${sentence}${verdict}`);
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
): void {
  const told = violations.map((violation) => {
    const { rule, sentence, repairable, found: { note: _, ...ids } } = violation;
    return { rule, sentence, ...ids, repairable, repaired: repaired.has(violation) };
  });
  console.log(JSON.stringify({ violations: told, counts }));
}
