import { isPrintable } from "../../core/value/identity.ts";
import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import { examine, repair as repairAll, untaken, type Violation } from "../doctor/doctor.ts";
import { explained, lackingIn } from "../missing.ts";
import { tablesOf } from "../sql/tables.ts";
import { maintenanceNames, type MaintenanceOptions, onDatabase } from "./database.ts";

/** What {@linkcode doctor} reports and repairs. */
export interface DoctorOptions extends MaintenanceOptions {
  /** Maximum number of violations to return per rule, 1 to 999,999. Default: 20. */
  readonly limit?: number | undefined;
  /** Repair those of the returned violations that are safe to repair. Default: false. */
  readonly repair?: boolean | undefined;
  /** Queue for wake-up jobs that a repair inserts. Default: `"default"`. */
  readonly queue?: string | undefined;
}

/** The result of {@linkcode doctor}. */
export interface DoctorReport {
  /** Violations of the engine's rules; empty when all is well. */
  readonly violations: readonly DoctorViolation[];
  /** The number of violations per violated rule, including those beyond the limit. */
  readonly counts: { readonly [rule: string]: number };
  /**
   * A sentence for each queue, code or graph that has due work and no living process. These are not
   * violations: the workers may be stopped on purpose.
   */
  readonly unserved: readonly string[];
}

/** A violation of one of the engine's rules, for one row. */
export interface DoctorViolation {
  /** Name of the rule, for example `"undriven"`. */
  readonly rule: string;
  /** A description of the problem. */
  readonly sentence: string;
  /** The instance in readable form: workflow, key and step. */
  readonly subject: string | undefined;
  /** Id of the affected instance. */
  readonly instance: string | undefined;
  /** Id of the affected job. */
  readonly job: string | undefined;
  /** Id of the affected process. */
  readonly process: string | undefined;
  /** Name of the affected step. */
  readonly step: string | undefined;
  /** Whether there is a repair for it. */
  readonly repairable: boolean;
  /** Whether this call has repaired it. */
  readonly repaired: boolean;
}

const doctorNames: OptionNames<DoctorOptions> = {
  ...maintenanceNames,
  limit: true,
  queue: true,
  repair: true,
};

/**
 * Checks the rules of the engine on a live database, and optionally repairs what is safe to repair.
 *
 * It opens one connection and closes it at the end. The check takes no locks, so workers may keep
 * running. It looks at a suspected violation again after 250 milliseconds, and reports it only if
 * it is still there. Each repair is a separate transaction, which checks once more under the locks
 * that workers take.
 *
 * @throws {TypeError} When an option, the address or the schema name is invalid.
 * @throws {RangeError} When `limit` is not an integer from 1 to 999,999.
 * @throws {SchemaVersionError} When the tables are not at the version of this package. Migrate
 * first.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as for {@linkcode migrate}.
 *
 * @example Fail a nightly check if there is a violation
 * ```ts
 * import { doctor } from "@hephaestus/workflow/postgres";
 *
 * export async function nightly(url: string): Promise<void> {
 *   const { violations } = await doctor({ url, limit: 1 });
 *   if (violations[0] !== undefined) throw new Error(violations[0].sentence);
 * }
 * ```
 */
export async function doctor(options: DoctorOptions): Promise<DoctorReport> {
  checkNames("examine the database", options, doctorNames);
  const { limit = 20, repair = false, queue = "default" } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > 999_999) {
    throw new RangeError(
      `Cannot examine the database: limit ${limit} is not a whole number from 1 to 999,999`,
    );
  }
  if (!isPrintable(queue)) {
    throw new TypeError("Cannot examine the database: queue is not 1 to 200 printable characters");
  }
  return await onDatabase(options, async (opened, schema) => {
    const db = explained(opened, lackingIn(opened, tablesOf(schema)));
    const { violations, counts } = await examine(db, schema, { limit });
    const repaired = repair ? await repairAll(db, schema, violations, queue) : new Set<Violation>();
    const unserved = await untaken(db, schema);
    return {
      violations: violations.map((each) => violation(each, repaired.has(each))),
      counts,
      unserved,
    };
  });
}

function violation(
  { rule, sentence, subject, found, repairable }: Violation,
  repaired: boolean,
): DoctorViolation {
  const { instance, job, process, step } = found;
  const ids = {
    instance: instance ?? undefined,
    job: job ?? undefined,
    process: process ?? undefined,
    step: step ?? undefined,
  };
  return { rule, sentence, subject, ...ids, repairable, repaired };
}
