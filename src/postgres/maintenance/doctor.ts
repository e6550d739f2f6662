import { isPrintable } from "../../core/value/identity.ts";
import { examine, repair as repairAll, untaken, type Violation } from "../doctor/doctor.ts";
import { explained, lackingIn } from "../missing.ts";
import { tablesOf } from "../sql/tables.ts";
import {
  type KnownOptions,
  maintenanceNames,
  type MaintenanceOptions,
  onDatabase,
  refuseOthers,
} from "./database.ts";

/** How much {@linkcode doctor} tells, and what it repairs. */
export interface DoctorOptions extends MaintenanceOptions {
  /** How many violations of each rule are returned at most, 1 to 999,999. Default: 20. */
  readonly limit?: number | undefined;
  /** Repair the violations that are returned, where that is safe. Default: false. */
  readonly repair?: boolean | undefined;
  /** The queue that a repair puts wake-ups of instances in. Default: `"default"`. */
  readonly queue?: string | undefined;
}

/** What {@linkcode doctor} found. */
export interface DoctorReport {
  /** What breaks a rule of the engine: none when all is well. */
  readonly violations: readonly DoctorViolation[];
  /** How many violations there are of each rule that is broken, beyond the limit too. */
  readonly counts: { readonly [rule: string]: number };
  /**
   * A sentence for each queue, code or graph that no living process has although work is due. It is
   * no violation: nobody may be meant to work now.
   */
  readonly unserved: readonly string[];
}

/** A rule of the engine that a database breaks in one place. */
export interface DoctorViolation {
  /** Name of the rule, for instance `"undriven"`. */
  readonly rule: string;
  /** What is wrong. */
  readonly sentence: string;
  /** What people know the instance by: workflow, key and step. */
  readonly subject: string | undefined;
  /** Id of the instance that it is about. */
  readonly instance: string | undefined;
  /** Id of the job that it is about. */
  readonly job: string | undefined;
  /** Id of the process that it is about. */
  readonly process: string | undefined;
  /** Name of the step that it is about. */
  readonly step: string | undefined;
  /** Whether a repair is known. */
  readonly repairable: boolean;
  /** Whether this call has repaired it. */
  readonly repaired: boolean;
}

const doctorNames: KnownOptions<DoctorOptions> = {
  ...maintenanceNames,
  limit: true,
  queue: true,
  repair: true,
};

/**
 * Checks the rules of the engine on a live database, and repairs what is safe when told so.
 *
 * It opens one connection and closes it again. Looking takes no locks: workers may go on. What looks
 * wrong is looked at again 250 milliseconds later, and only what is still there is a violation. Each
 * repair is a transaction of its own, which looks once more under the locks that workers take.
 *
 * @throws {TypeError} When an option, the address or the name of the schema cannot be used.
 * @throws {RangeError} When `limit` is no whole number from 1 to 999,999.
 * @throws {SchemaVersionError} When the tables are not those of this package: migrate first.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as {@linkcode migrate} has it.
 *
 * @example Fail a nightly check where something is wrong
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
  refuseOthers("examine the database", options, doctorNames);
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
