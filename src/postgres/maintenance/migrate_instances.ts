import { storedGraph } from "../../core/deploy/stored_graph.ts";
import { GraphChangedError, UnknownWorkflowError } from "../../core/errors/errors.ts";
import { encodeGraph, graphChanges } from "../../core/graph/fingerprint.ts";
import type { Graph } from "../../core/graph/graph.ts";
import { checkWorkflow, type VersionedWorkflow } from "../../core/graph/version.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { businessKey } from "../../core/value/identity.ts";
import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import type { Db } from "../driver/contract.ts";
import { compare } from "../instances/graphs.ts";
import { graphsOf, openOf } from "../instances/move.ts";
import { assertMigrated } from "../migrations/migrate.ts";
import { explained, lackingIn } from "../missing.ts";
import { channelOf } from "../sql/identifiers.ts";
import { type Tables, tablesOf } from "../sql/tables.ts";
import { maintenanceNames, type MaintenanceOptions, onDatabase } from "./database.ts";
import { moveOne, type Refusal } from "./moving.ts";

/** Which instances {@linkcode migrateInstances} moves. */
export interface MigrateInstancesOptions extends MaintenanceOptions {
  /** The workflow with the version to move to, and perhaps others. */
  readonly workflow: Workflow | VersionedWorkflow;
  /** The version that the instances have now. The code of it is not needed. */
  readonly from: number;
  /** The version to move them to. Default: the current one of `workflow`. */
  readonly to?: number | undefined;
  /** Only the instances with these business keys. Default: all. */
  readonly keys?: readonly string[] | undefined;
  /** Looks at no more instances than this, the oldest first. Default: all. */
  readonly limit?: number | undefined;
  /** Change nothing and return what would be done. Default: false. */
  readonly dryRun?: boolean | undefined;
}

/** What {@linkcode migrateInstances} did or would do. */
export interface MigratedInstances {
  /** How many instances have the new version now. */
  readonly moved: number;
  /** Why others were not moved, the most frequent reason first. */
  readonly refused: readonly RefusedInstances[];
}

/** Instances that were not moved for the same reason. They are as they were. */
export interface RefusedInstances {
  /** The reason, as a sentence without the key. */
  readonly reason: string;
  /** Whether the reason passes, so that a later call may move them: a step of them was running. */
  readonly passes: boolean;
  /** How many instances it was. */
  readonly instances: number;
  /** The business keys of the first ten. */
  readonly keys: readonly string[];
}

const names: OptionNames<MigrateInstancesOptions> = {
  ...maintenanceNames,
  dryRun: true,
  from: true,
  keys: true,
  limit: true,
  to: true,
  workflow: true,
};

const mostKeys = 10;

/**
 * Moves open instances to another version of their workflow, each if this is provably safe, and
 * refuses the others with the reason.
 *
 * An instance is moved if the other version could have got to where it is: with the results that
 * the instance has applied, that version would have started, ended and dropped the same steps for
 * the same causes, and would wait in the same steps for the same events. Stored values must pass
 * the schemas of that version unchanged. An instance is not moved while one of its steps runs.
 *
 * It opens one connection and closes it at the end. Each instance is moved in a transaction of its
 * own, so workers may keep running, and a call that was interrupted can be repeated. Deploy the new
 * version first: a moved instance waits for a process that has it.
 *
 * @throws {TypeError} When an option, the address or the schema name is invalid.
 * @throws {UnknownWorkflowError} When `to` is not a version of `workflow`.
 * @throws {GraphChangedError} When open instances of `to` started with another graph.
 * @throws {SchemaVersionError} When the tables are not at the version of this package. Migrate
 * first.
 * @throws {HephaestusError} With a code that begins with `DATABASE_`, as for {@linkcode migrate}.
 *
 * @example Move what can be moved, and show the rest
 * ```ts
 * import type { Workflow } from "@hephaestus/workflow";
 * import { migrateInstances } from "@hephaestus/workflow/postgres";
 *
 * export async function retire(url: string, workflow: Workflow): Promise<void> {
 *   const { moved, refused } = await migrateInstances({ url, workflow, from: 1 });
 *   console.log(`moved ${moved}`);
 *   for (const { instances, reason } of refused) console.log(`${instances} stay: ${reason}`);
 * }
 * ```
 */
export async function migrateInstances(
  options: MigrateInstancesOptions,
): Promise<MigratedInstances> {
  checkNames("migrate instances", options, names);
  const { workflow, from, to, keys, limit, dryRun = false, ...database } = options;
  const target = targetOf(workflow, from, to);
  const wanted = keys?.map((key) => businessKey(target.key, key));
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new RangeError(`Cannot migrate instances: limit ${limit} is not a positive whole number`);
  }
  const before = "versions" in workflow ? workflow.versions.get(from) : undefined;
  return await onDatabase(database, async (opened, schema) => {
    const t = tablesOf(schema);
    const db = explained(opened, lackingIn(opened, t));
    await assertMigrated(db, { schema });
    if (!dryRun) await admit(db, t, target);
    const graphs = new Map<string, Graph>();
    for (const [fingerprint, text] of await graphsOf(db, t, target.name, from)) {
      graphs.set(fingerprint, storedGraph(text));
    }
    const channel = channelOf(schema).replaceAll("'", "''");
    const mover = { t, channel, graphs, from, before, target, dryRun };
    const report = new Map<string, Refusal & { instances: number; keys: string[] }>();
    let moved = 0;
    for (const one of await openOf(db, t, target.name, from, wanted, limit)) {
      const refused = await moveOne(db, mover, one);
      if (refused === undefined) moved++;
      else if (refused !== "gone") note(report, refused);
    }
    const refused = [...report.values()].sort((a, b) => b.instances - a.instances);
    return {
      moved,
      refused: refused.map(({ reason, passes, instances, keys }) => ({
        reason,
        passes,
        instances,
        keys,
      })),
    };
  });
}

function targetOf(
  workflow: Workflow | VersionedWorkflow,
  from: unknown,
  to: number | undefined,
): Workflow {
  checkWorkflow("migrate instances of", workflow);
  const refuse = (why: string) =>
    new TypeError(`Cannot migrate instances of workflow "${workflow.name}": ${why}`);
  for (const [name, version] of [["from", from], ["to", to ?? 1]] as const) {
    if (typeof version === "number" && Number.isInteger(version) && version > 0) continue;
    throw refuse(`the option "${name}" is not a version number`);
  }
  const single = "graph" in workflow;
  const version = to ?? (single ? workflow.version : workflow.current);
  const target = single
    ? version === workflow.version ? workflow : undefined
    : workflow.versions.get(version);
  if (target === undefined) {
    const known = single ? [workflow.version] : [...workflow.versions.keys()];
    throw new UnknownWorkflowError({ workflow: workflow.name, version, known });
  }
  if (version === from) throw refuse(`they have version ${version} already`);
  return target;
}

/** Stores the graph of the version, and refuses one that no process would serve. */
async function admit(db: Db, t: Tables, { name, version, fingerprint, graph }: Workflow) {
  const text = encodeGraph(graph);
  const others = await compare(db, t, [{ workflow: name, version, fingerprint, graph: text }]);
  const other = others.find(({ mixed }) => !mixed);
  if (other === undefined) return;
  throw new GraphChangedError({
    workflow: name,
    version,
    open: other.open,
    changes: graphChanges(other.graph, text),
    next: version + 1,
    action: "migrate instances to",
  });
}

function note(
  report: Map<string, Refusal & { instances: number; keys: string[] }>,
  refusal: Refusal,
): void {
  const same = report.get(refusal.reason) ?? { ...refusal, instances: 0, keys: [] };
  same.instances++;
  if (same.keys.length < mostKeys) same.keys.push(refusal.key);
  report.set(refusal.reason, same);
}
