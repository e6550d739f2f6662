import type { Refuse } from "../../define/options.ts";
import {
  type ArrivalMode,
  type Graph,
  type GraphStep,
  nextSteps,
  reachable,
  row,
} from "../graph.ts";
import { compatible, type Path } from "./paths.ts";
import { copy, has, including, none, unite } from "./row_set.ts";

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

/** The paths after an event that drops branches, without those on which another step has won. */
export function dropping(
  paths: readonly Path[],
  { name, drops }: GraphStep,
  event: string,
  graph: Graph,
  races: readonly Race[],
): readonly Path[] {
  const heads = drops.get(event);
  if (heads === undefined) return paths;
  let rows = none();
  for (const head of heads) {
    for (const member of graph.branch(head)) rows = including(rows, row(graph, member));
  }
  const won = races.filter(({ wins }) => wins.get(name)?.has(event) === true);
  return paths.flatMap(({ decided: before, ended, gone: withdrawn, rough }) => {
    const isLost = ({ place }: Race) => (before.get(place) ?? name) !== name;
    if (won.some(isLost)) return [];
    const gone = copy(withdrawn);
    unite(gone, rows);
    const decided = new Map(before);
    for (const { place } of won) decided.set(place, name);
    return [{ decided, ended, gone, rough }];
  });
}

/**
 * Proves that a branch that is dropped has started before, that no step outside of it depends on
 * whether the branch or the event was faster, and that nothing in it has to be undone later.
 */
export function proveDrops(
  drop: DropPaths,
  graph: Graph,
  entries: readonly (readonly Entry[])[],
  refuse: Refuse,
): void {
  for (const head of drop.from.drops.get(drop.event) ?? []) {
    const refuseDrop: Refuse = (why) =>
      refuse(`event "${drop.from.name}.${drop.event}" drops "${head}", ${why}`);
    for (const { name, undoable } of graph.steps.values()) {
      if (undoable.size === 0 || !graph.branch(head).has(name)) continue;
      throw refuseDrop(`but "${name}" can be undone: it must not be cut off`);
    }
    const inRounds = inAnyRound(drop, head, graph);
    proveStarted(drop, head, graph, entries[row(graph, head)] ?? [], refuseDrop);
    for (const step of graph.steps.values()) {
      if (graph.branch(head).has(step.name)) continue;
      proveUnaffected(inRounds, head, step, graph, entries[step.index] ?? [], refuseDrop);
    }
  }
}

/**
 * Where a loop drops a branch beside it, an earlier round may have done so: what the steps of the
 * loop decide afterwards is not known.
 */
function inAnyRound(drop: DropPaths, head: string, graph: Graph): DropPaths {
  const next = nextSteps([...graph.steps.values()]);
  const rows = new Set<number>();
  for (const loop of graph.loopsAround(drop.from.name)) {
    const body = graph.body(loop);
    const isBeside = [...graph.branch(head)].some((name) => !body.has(name));
    const goesBack = drop.from.moves.get(drop.event)?.some(({ to }) =>
      [...reachable(to, next)].some((name) => leadsTo(graph.steps.get(name), loop))
    );
    if (!isBeside || !goesBack) continue;
    for (const name of body) rows.add(row(graph, name));
  }
  if (rows.size === 0) return drop;
  const paths = drop.paths.map((path) => ({
    ...path,
    decided: new Map([...path.decided].filter(([place]) => !rows.has(place))),
  }));
  return { ...drop, paths };
}

function leadsTo(step: GraphStep | undefined, head: string): boolean {
  return [...step?.loops.values() ?? []].some(({ to }) => to === head);
}

function proveStarted(
  { from, paths }: DropPaths,
  head: string,
  graph: Graph,
  entries: readonly Entry[],
  refuse: Refuse,
): void {
  const hasEnded = paths.every(({ ended }) => has(ended, row(graph, head)));
  if (graph.branch(head).has(from.name) || hasEnded) throw refuse("which it comes from");
  let isPossible = false;
  for (const entry of entries) {
    for (const path of paths) {
      if (!meets(entry, path)) continue;
      isPossible = true;
      if (entry.from !== from.index && has(path.ended, entry.from)) continue;
      throw refuse("which has not started on every path to it");
    }
  }
  if (!isPossible) throw refuse("which cannot have started before");
}

/** Proves that a step outside of the branch starts, or does not, whenever the branch is dropped. */
function proveUnaffected(
  { from, event, paths }: DropPaths,
  head: string,
  { name, index }: GraphStep,
  graph: Graph,
  entries: readonly Entry[],
  refuse: Refuse,
): void {
  const steps = [...graph.steps.keys()];
  const isLedTo = from.moves.get(event)?.some(({ to, mode }) => to === name && mode !== "join");
  for (const entry of entries) {
    const member = steps[entry.from]!;
    const joins = entry.mode === "join";
    if (!graph.branch(head).has(member) || (isLedTo && !joins)) continue;
    for (const path of paths) {
      const isOver = has(path.ended, index) || has(path.gone, index);
      if (isOver || has(path.ended, entry.from) || !meets(entry, path)) continue;
      if (!joins) {
        throw refuse(
          `but "${member}" may lead to "${name}": whether "${name}" starts would depend on which of them comes first`,
        );
      }
      if (canJoin(path, entries)) {
        throw refuse(`but the join at "${name}" may wait for "${member}"`);
      }
    }
  }
}

/** Whether an event may lead to its step in a run that takes this path. */
function meets({ paths }: Entry, path: Path): boolean {
  return paths.some((other) => compatible(path, other));
}

/** Whether all sources of a join can still arrive on this path. */
function canJoin(path: Path, entries: readonly Entry[]): boolean {
  const joins = entries.filter(({ mode }) => mode === "join");
  return joins.every(({ from }) =>
    joins.some((entry) => entry.from === from && meets(entry, path))
  );
}
