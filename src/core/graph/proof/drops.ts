import type { Refuse } from "../../define/options.ts";
import { type ArrivalMode, type Graph, type GraphStep, row } from "../graph.ts";
import { compatible, type Path } from "./paths.ts";
import { copy, has, including, unite } from "./row_set.ts";

/** An event that leads to a step, with every path on which it does. */
export interface Entry {
  readonly from: number;
  readonly event: string;
  readonly mode: ArrivalMode;
  readonly paths: readonly Path[];
}

/** An event that drops branches, with every path on which it does. */
export interface DropPaths {
  readonly from: GraphStep;
  readonly event: string;
  readonly paths: readonly Path[];
}

/** Two steps that can drop each other: if one of them wins, the other has not. */
export interface Race {
  /** Its place among the decisions of a path. */
  readonly place: number;
  /** The number of ends: two if somebody certainly wins, or else three. */
  readonly ends: number;
  /** The events with which each of the two steps wins. */
  readonly wins: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The races of a graph. */
export function racesOf(graph: Graph): readonly Race[] {
  const steps = [...graph.steps.values()];
  const droppers = steps.filter(({ drops }) => drops.size > 0);
  const races: Race[] = [];
  for (const [at, one] of droppers.entries()) {
    for (const other of droppers.slice(at + 1)) {
      const [ones, others] = [winning(graph, one, other), winning(graph, other, one)];
      if (ones.size === 0 || others.size === 0) continue;
      const isSure = ones.size === one.moves.size || others.size === other.moves.size;
      races.push({
        place: steps.length + races.length,
        ends: isSure ? 2 : 3,
        wins: new Map([[one.name, ones], [other.name, others]]),
      });
    }
  }
  return races;
}

/** The events with which a step drops another one, but not itself. */
function winning(graph: Graph, one: GraphStep, other: GraphStep): ReadonlySet<string> {
  const drops = (head: string) => {
    const branch = graph.branch(head);
    return branch.has(other.name) && !branch.has(one.name);
  };
  return new Set([...one.drops].filter(([, heads]) => heads.some(drops)).map(([event]) => event));
}

/** The path after an event that drops branches; `undefined` if another step has won a race before. */
export function dropping(
  path: Path,
  { name, drops }: GraphStep,
  event: string,
  graph: Graph,
  races: readonly Race[],
): Path | undefined {
  const heads = drops.get(event);
  if (heads === undefined) return path;
  const gone = copy(path.gone);
  const decided = new Map(path.decided);
  for (const head of heads) {
    for (const member of graph.branch(head)) unite(gone, including(gone, row(graph, member)));
  }
  for (const { place, wins } of races) {
    if (wins.get(name)?.has(event) !== true) continue;
    if ((decided.get(place) ?? name) !== name) return undefined;
    decided.set(place, name);
  }
  return { decided, ended: path.ended, gone };
}

/**
 * Proves that a branch that is dropped has started before, and that no step outside of it depends
 * on whether the branch or the event was faster.
 */
export function proveDrops(
  { from, event, paths }: DropPaths,
  graph: Graph,
  entries: readonly (readonly Entry[])[],
  refuse: Refuse,
): void {
  const steps = [...graph.steps.values()];
  for (const head of from.drops.get(event) ?? []) {
    const what = `event "${from.name}.${event}" drops "${head}"`;
    const branch = graph.branch(head);
    const hasEnded = paths.every(({ ended }) => has(ended, row(graph, head)));
    if (branch.has(from.name) || hasEnded) throw refuse(`${what}, which it comes from`);
    let isPossible = false;
    for (const { from: source, paths: arriving } of entries[row(graph, head)] ?? []) {
      for (const path of paths) {
        if (!arriving.some((other) => compatible(path, other))) continue;
        isPossible = true;
        if (source !== from.index && has(path.ended, source)) continue;
        throw refuse(`${what}, which has not started on every path to it`);
      }
    }
    if (!isPossible) throw refuse(`${what}, which cannot have started before`);
    for (const { name, index } of steps) {
      if (branch.has(name)) continue;
      const mine = from.moves.get(event)?.some(({ to, mode }) => to === name && mode !== "join");
      for (const entry of entries[index] ?? []) {
        const member = steps[entry.from]!;
        if (!branch.has(member.name)) continue;
        if (entry.mode !== "join" && mine) continue;
        for (const path of paths) {
          if (has(path.ended, index) || has(path.gone, index)) continue;
          if (has(path.ended, entry.from)) continue;
          if (!entry.paths.some((other) => compatible(path, other))) continue;
          if (entry.mode !== "join") {
            throw refuse(
              `${what}, but "${member.name}" may lead to "${name}": whether "${name}" starts would depend on which of them comes first`,
            );
          }
          if (canJoin(path, entries[index] ?? [])) {
            throw refuse(`${what}, but the join at "${name}" may wait for "${member.name}"`);
          }
        }
      }
    }
  }
}

/** Whether all sources of a join can still arrive on this path. */
function canJoin(path: Path, entries: readonly Entry[]): boolean {
  const joins = entries.filter(({ mode }) => mode === "join");
  const arrive = ({ paths }: Entry) => paths.some((other) => compatible(path, other));
  return joins.every(({ from }) => joins.some((entry) => entry.from === from && arrive(entry)));
}
