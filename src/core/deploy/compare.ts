import { WorkflowDefinitionError } from "../errors/errors.ts";
import { encodeGraph, graphChanges } from "../graph/fingerprint.ts";
import { sameKey, type VersionedWorkflow } from "../graph/version.ts";
import type { Workflow } from "../graph/workflow.ts";

/** The open instances of a version that started with the same graph. */
export interface OpenInstances {
  readonly workflow: string;
  readonly version: number;
  /** `undefined` for instances that started before fingerprints were stored. */
  readonly fingerprint: string | undefined;
  /** JSON text; `undefined` if the graph was not stored. */
  readonly graph: string | undefined;
  readonly open: number;
  /** When the oldest of them was started. */
  readonly oldest: Date;
  /** How many of them are at each step. */
  readonly steps: Readonly<Record<string, number>>;
}

/**
 * What a deploy means for a version: its open instances continue (`safe`), it has none and is the
 * one for new instances (`new`), it has none and may be removed (`retire`), its open instances need
 * code that is not there (`needsVersion`), or its graph is not theirs (`changed`).
 */
export type DeployVerdict = "safe" | "new" | "retire" | "needsVersion" | "changed";

/** A version of a workflow, compared with the open instances of one graph. */
export interface CheckedVersion {
  /** The name of the workflow. */
  readonly workflow: string;
  /** The version number. */
  readonly version: number;
  /**
   * `safe`: its open instances continue. `new`: it has no open instances, and new ones start with
   * it. `retire`: it has no open instances and may be removed. `needsVersion`: its open instances
   * need code that is not there. `changed`: its open instances started with another graph.
   */
  readonly verdict: DeployVerdict;
  /** How many open instances there are. */
  readonly open: number;
  /** When the oldest of them was started, by the database's clock. */
  readonly oldest: Date | undefined;
  /** How many of them are at each step. */
  readonly steps: { readonly [step: string]: number };
  /**
   * How the graph of `comparedWith` differs from theirs, as parts of a sentence; empty where it
   * does not differ or is not known.
   */
  readonly changes: readonly string[];
  /** The version of the code whose graph was compared with theirs. */
  readonly comparedWith: number | undefined;
  /** What this means, and what to do. */
  readonly sentence: string;
}

/** The code of one workflow. */
interface Given {
  readonly versions: Map<number, Workflow>;
  /** Versions that new instances start with. */
  readonly current: Set<number>;
}

/** Compares the workflows of a program with the open instances of a database. */
export function compareDeploy(
  definitions: readonly (Workflow | VersionedWorkflow)[],
  alive: readonly OpenInstances[],
): readonly CheckedVersion[] {
  const code = givenBy(definitions);
  const checked = alive.map((one) => checkOpen(one, code.get(one.workflow)));
  const isAlive = new Set(alive.map(({ workflow, version }) => `${version} ${workflow}`));
  for (const [workflow, { versions, current }] of code) {
    const newest = Math.max(...versions.keys());
    const oldestUsed = Math.min(newest, ...current);
    for (const version of versions.keys()) {
      if (isAlive.has(`${version} ${workflow}`)) continue;
      checked.push(withoutOpen(workflow, version, version < oldestUsed));
    }
  }
  return checked.sort((a, b) =>
    a.workflow === b.workflow
      ? a.version - b.version || b.open - a.open
      : a.workflow < b.workflow
      ? -1
      : 1
  );
}

/** The versions by workflow. Rejects two different ones under one name and version. */
function givenBy(
  definitions: readonly (Workflow | VersionedWorkflow)[],
): ReadonlyMap<string, Given> {
  const code = new Map<string, Given>();
  for (const definition of definitions) {
    const single = "graph" in definition;
    const of = code.get(definition.name) ?? { versions: new Map(), current: new Set() };
    for (const workflow of single ? [definition] : definition.versions.values()) {
      const { name, version, fingerprint } = workflow;
      const there = of.versions.get(version);
      if (there !== undefined && there.fingerprint !== fingerprint) {
        throw new WorkflowDefinitionError(
          `Cannot check the workflows: two different ones are named "${name}" version ${version}`,
        );
      }
      const [other = workflow] = of.versions.values();
      sameKey(other, workflow);
      of.versions.set(version, workflow);
    }
    if (!single) of.current.add(definition.current);
    code.set(definition.name, of);
  }
  return code;
}

function checkOpen(alive: OpenInstances, given: Given | undefined): CheckedVersion {
  const { workflow, version, open, oldest, steps, fingerprint } = alive;
  const same = given?.versions.get(version);
  const report = (
    verdict: DeployVerdict,
    compared: Workflow | undefined,
    sentence: string,
  ): CheckedVersion => ({
    ...{ workflow, version, verdict, open, oldest, steps, sentence },
    changes: compared === undefined || alive.graph === undefined
      ? []
      : graphChanges(alive.graph, encodeGraph(compared.graph)),
    comparedWith: compared?.version,
  });
  const count = open === 1 ? "1 open instance" : `${open} open instances`;
  const [continues, needs] = open === 1 ? ["continues", "needs"] : ["continue", "need"];
  if (same !== undefined && fingerprint === undefined) {
    const why = "started before graphs were stored: no change of the graph can be noticed";
    return report("safe", undefined, `${count} ${continues}, but ${why}`);
  }
  if (same?.fingerprint === fingerprint) return report("safe", undefined, `${count} ${continues}`);
  if (same !== undefined) {
    const next = Math.max(...given?.versions.keys() ?? []) + 1;
    return report(
      "changed",
      same,
      `${count} started with another graph of version ${version}. Leave version ${version} as it ` +
        `was, and make the new graph version ${next} with versioned("${workflow}", ...)`,
    );
  }
  const end = open === 1 ? "it has ended" : "they have ended";
  if (given === undefined) {
    return report(
      "needsVersion",
      undefined,
      `${count} ${needs} version ${version}, but there is no code of workflow "${workflow}". Keep ` +
        `it until ${end}. If another program runs it, ignore this workflow`,
    );
  }
  return report(
    "needsVersion",
    given.versions.get(Math.min(...given.current, Math.max(...given.versions.keys()))),
    `${count} ${needs} version ${version}, which is not in the code. Keep it with ` +
      `versioned("${workflow}", ...) until ${end}`,
  );
}

function withoutOpen(workflow: string, version: number, unused: boolean): CheckedVersion {
  return {
    ...{ workflow, version, open: 0, oldest: undefined, steps: {}, changes: [] },
    verdict: unused ? "retire" : "new",
    comparedWith: undefined,
    sentence: unused
      ? `No open instance has version ${version}: remove it when no process starts it any more`
      : `No open instance has version ${version}`,
  };
}
