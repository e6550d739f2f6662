import type { OtherGraph, VersionGraph } from "../../backend/graphs.ts";
import { isFinal } from "../../core/engine/instance.ts";
import type { MemoryTables } from "../tables.ts";

/** Stores graphs, and finds open instances of other graphs of the same versions. */
export function compare(
  tables: MemoryTables,
  graphs: readonly VersionGraph[],
): readonly OtherGraph[] {
  for (const graph of graphs) tables.graphs.put(graph);
  return graphs.flatMap((given) => {
    const mixed = openOf(tables, given.fingerprint) > 0;
    return tables.graphs.all()
      .filter((other) => isOther(other, given))
      .map((other) => ({ ...other, open: openOf(tables, other.fingerprint), mixed }))
      .filter(({ open }) => open > 0);
  }).sort((a, b) => b.open - a.open);
}

function isOther(other: VersionGraph, { workflow, version, fingerprint }: VersionGraph): boolean {
  return other.workflow === workflow && other.version === version &&
    other.fingerprint !== fingerprint;
}

function openOf(tables: MemoryTables, fingerprint: string): number {
  return tables.instances.all()
    .filter(({ graph, status }) => graph === fingerprint && !isFinal(status)).length;
}
