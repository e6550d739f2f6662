import { type CheckedVersion, compareDeploy } from "../../core/deploy/compare.ts";
import { checkWorkflows, type VersionedWorkflow } from "../../core/graph/version.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import { openInstances } from "../instances/graphs.ts";
import { assertMigrated } from "../migrations/migrate.ts";
import { explained, lackingIn } from "../missing.ts";
import { tablesOf } from "../sql/tables.ts";
import { maintenanceNames, type MaintenanceOptions, onDatabase } from "./database.ts";

/** What {@linkcode check} compares. */
export interface CheckOptions extends MaintenanceOptions {
  /** The workflows that the new processes will have code for. */
  readonly workflows: readonly (Workflow | VersionedWorkflow)[];
  /** Names of workflows that other programs run: their instances are left out. Default: none. */
  readonly ignore?: readonly string[] | undefined;
}

/** The result of {@linkcode check}. */
export interface DeployCheck {
  /** Whether every open instance can continue: no verdict is `needsVersion` or `changed`. */
  readonly ok: boolean;
  /** Every version in the code and every version with open instances, by name and number. */
  readonly versions: readonly CheckedVersion[];
}

const names: OptionNames<CheckOptions> = { ...maintenanceNames, ignore: true, workflows: true };

/**
 * Compares the workflows of a program with the open instances of a database, before the program is
 * deployed: whether each of them can continue, what has changed, and which versions nobody needs.
 *
 * It opens one connection and closes it at the end. It changes nothing and takes no locks. It reads
 * every open instance once. What a process starts afterwards is not in the result.
 *
 * @throws {TypeError} When an option, the address or the schema name is invalid.
 * @throws {WorkflowDefinitionError} When two different workflows have the same name and version, or
 * when versions differ in key or scope.
 * @throws {SchemaVersionError} When the tables are not at the version of this package. Migrate
 * first.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as for {@linkcode migrate}.
 *
 * @example Stop a deploy that would leave instances behind
 * ```ts
 * import type { Workflow } from "@hephaestus/workflow";
 * import { check } from "@hephaestus/workflow/postgres";
 *
 * export async function beforeDeploy(url: string, workflows: readonly Workflow[]): Promise<void> {
 *   const { ok, versions } = await check({ url, workflows });
 *   for (const { workflow, version, sentence } of versions) {
 *     console.log(`${workflow} ${version}: ${sentence}`);
 *   }
 *   if (!ok) throw new Error("Open instances need other code");
 * }
 * ```
 */
export async function check(options: CheckOptions): Promise<DeployCheck> {
  checkNames("check the workflows", options, names);
  const { workflows, ignore = [], ...database } = options;
  checkWorkflows(workflows, "check the workflows");
  if (!Array.isArray(ignore) || !ignore.every((name) => typeof name === "string")) {
    throw new TypeError(
      `Cannot check the workflows: the option "ignore" is not an array of names`,
    );
  }
  // Mistakes in the definitions are refused before anything is connected.
  compareDeploy(workflows, []);
  const alive = await onDatabase(database, async (opened, schema) => {
    const t = tablesOf(schema);
    const db = explained(opened, lackingIn(opened, t));
    await assertMigrated(db, { schema });
    return await openInstances(db, t);
  });
  const ignored = new Set(ignore);
  const versions = compareDeploy(
    workflows.filter(({ name }) => !ignored.has(name)),
    alive.filter(({ workflow }) => !ignored.has(workflow)),
  );
  const stops = ({ verdict }: CheckedVersion) =>
    verdict === "needsVersion" || verdict === "changed";
  return { ok: !versions.some(stops), versions };
}
