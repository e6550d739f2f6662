import type { Refuse } from "../../define/options.ts";
import {
  anyEnd,
  anyEvent,
  everyOf,
  failedEvent,
  type StepDefinition,
} from "../../define/step_definition.ts";
import { type ArrivalMode, type Graph, type GraphStep, row } from "../graph.ts";
import { type DropPaths, dropping, type Entry, proveDrops, racesOf } from "./drops.ts";
import { type BackEdgePaths, proveLoop } from "./loops.ts";
import { type EndPaths, proveReturns } from "./returns.ts";
import {
  behind,
  compatible,
  type Outcomes,
  parted,
  type Path,
  simplified,
  start,
  together,
} from "./paths.ts";
import { has, including, none, type RowSet, unite } from "./row_set.ts";

/** A path by which a step may be started. */
interface ArrivingPath extends Path {
  readonly mode: ArrivalMode;
  /** The name of the arrival in error messages. */
  readonly by: string;
}

/**
 * Proves that no run can start a step twice, that every join can start, that the needs of a step
 * are met on every path to it, that every round of a loop begins like the first, that nothing
 * depends on when a branch is dropped, and that every run that completes returns one outcome.
 *
 * The compiler proves the same from the facts that are certain. This function compares whole paths,
 * up to 4,096 of them per step. Beyond that, it uses only what is certain on all of them. It may
 * then reject a workflow that could run, but it never accepts one that starts a step twice.
 */
export function prove(
  graph: Graph,
  definitions: ReadonlyMap<string, StepDefinition>,
  refuse: Refuse,
): void {
  const steps = [...graph.steps.values()];
  const races = racesOf(graph);
  const ends = [...steps.map(({ moves }) => moves.size), ...races.map(({ ends }) => ends)];
  const entries = steps.map((): Entry[] => []);
  const past = steps.map(() => none());
  const loops: BackEdgePaths[] = [];
  const dropped: DropPaths[] = [];
  const over: EndPaths[] = [];
  const isPlain = steps.every((step) => step.loops.size === 0 && step.drops.size === 0);

  for (const step of steps) {
    const arrived = entries[step.index] ?? [];
    const before = past[step.index] ?? none();
    const outcomes = { of: ends, kept: rowsAround(step, graph) };
    const paths = step.index === 0 ? [start] : ways(step, arrived, steps, outcomes, refuse);
    // Only the proofs of loops and drops read them again. They are large.
    if (isPlain) entries[step.index] = [];
    reads(step, definitions, graph, paths, before, refuse);
    const after = including(before, step.index);
    for (const [event, arrivals] of step.moves) {
      const loop = step.loops.get(event);
      const drops = step.drops.has(event);
      const outcome = step.returns.get(event);
      const undoes = step.undoing.has(event);
      const isEnd = outcome !== undefined || loop?.ends === true || undoes;
      if (arrivals.length === 0 && loop === undefined && !drops && !isEnd) continue;
      const ended = paths.map((path) => behind(path, step.index, event, step.moves.size > 1));
      const left = dropping(ended, step, event, graph, races);
      if (drops) dropped.push({ from: step, event, paths: left });
      if (loop !== undefined) loops.push({ from: step, event, loop, paths: left });
      if (isEnd) over.push({ from: step, event, outcome, paths: left });
      for (const { to, mode } of arrivals) {
        const index = graph.steps.get(to)?.index ?? 0;
        entries[index]?.push({ from: step.index, event, mode, paths: left });
        unite(past[index] ?? after, after);
      }
    }
  }
  for (const one of dropped) proveDrops(one, graph, entries, refuse);
  for (const loop of loops) proveLoop(loop, graph, entries, refuse);
  proveReturns({ graph, ends: over, drops: dropped, races }, refuse);
}

/** The rows of the loops around a step. What has run in a round must be known when it ends. */
function rowsAround({ name }: GraphStep, graph: Graph): ReadonlySet<number> {
  const rows = new Set<number>();
  for (const head of graph.loopsAround(name)) {
    for (const member of graph.body(head)) rows.add(row(graph, member));
  }
  return rows;
}

/** Returns every path that starts a step. */
function ways(
  step: GraphStep,
  entries: readonly Entry[],
  steps: readonly GraphStep[],
  outcomes: Outcomes,
  refuse: Refuse,
): readonly Path[] {
  const name = ({ from, event }: Entry): string => `"${steps[from]?.name}.${event}"`;
  const found: ArrivingPath[] = [];
  for (const entry of entries) {
    if (entry.mode === "join") continue;
    for (const path of entry.paths) found.push({ ...path, mode: entry.mode, by: name(entry) });
  }
  const joined = joins(step, entries.filter(({ mode }) => mode === "join"), outcomes, refuse);
  for (const path of joined) found.push({ ...path, mode: "join", by: "its join" });

  if (found.length === 0) throw refuse(`step "${step.name}" can never start: no run reaches it`);
  const both = clash(found, new Set());
  if (both !== undefined) {
    throw refuse(
      `step "${step.name}" can be started by ${both[0].by} and by ${both[1].by} in one run. ` +
        `Use join to wait for all of them, first to start it once, or drop to end the other branch`,
    );
  }
  return simplified(found, outcomes);
}

/** Returns every path on which all sources of a join arrive. */
function joins(
  step: GraphStep,
  entries: readonly Entry[],
  outcomes: Outcomes,
  refuse: Refuse,
): readonly Path[] {
  if (entries.length === 0) return [];
  const sources = new Map<number, Path[]>();
  for (const { from, paths } of entries) {
    const known = sources.get(from);
    if (known === undefined) sources.set(from, [...paths]);
    else known.push(...paths);
  }
  if (sources.size === 1) {
    throw refuse(`only "${step.sources[0]}" joins step "${step.name}". A join needs at least two`);
  }
  const every = [...sources.values()].map((paths) => simplified(paths, outcomes));
  const joined = together(every, outcomes);
  if (joined.length > 0) return joined;
  const names = step.sources.map((source) => `"${source}"`).join(" and ");
  throw refuse(`the join at step "${step.name}" can never start: no run reaches it from ${names}`);
}

/** Finds two arrivals that can happen in one run and are not both `first`. */
function clash(
  ways: readonly ArrivingPath[],
  settled: ReadonlySet<number>,
): readonly [ArrivingPath, ArrivingPath] | undefined {
  const [head] = ways;
  if (ways.every(({ by }) => by === head?.by)) return undefined;
  if (ways.every(({ mode }) => mode === "first")) return undefined;
  const fork = parted(ways, settled);
  if (fork === undefined) return pair(ways);
  for (const group of fork.groups) {
    const found = clash(group, fork.settled);
    if (found !== undefined) return found;
  }
  return undefined;
}

function pair(ways: readonly ArrivingPath[]): readonly [ArrivingPath, ArrivingPath] | undefined {
  for (const [index, a] of ways.entries()) {
    for (let other = 0; other < index; other++) {
      const b = ways[other];
      if (b === undefined || a.by === b.by) continue;
      if (a.mode === "first" && b.mode === "first") continue;
      if (compatible(a, b)) return [b, a];
    }
  }
  return undefined;
}

/**
 * Checks what a step reads: its needs must be met on every path to it, and what it sees on at least
 * one.
 */
function reads(
  step: GraphStep,
  definitions: ReadonlyMap<string, StepDefinition>,
  graph: Graph,
  paths: readonly Path[],
  past: RowSet,
  refuse: Refuse,
): void {
  const definition = definitions.get(step.name);
  for (const [verb, list] of [["needs", definition?.needs], ["sees", definition?.sees]] as const) {
    for (const need of list ?? []) {
      const { name } = need;
      const event = everyOf(need) ?? need.event;
      const what = `step "${step.name}" ${verb} "${name}.${event}"`;
      const source = graph.steps.get(name);
      if (source === undefined) {
        throw refuse(`${what}, but "${name}" is not a step of this workflow`);
      }
      if (event === failedEvent && !source.moves.has(event)) {
        throw refuse(`${what}, but the row of "${name}" has no road for "failed"`);
      }
      if (event !== anyEvent && event !== anyEnd && !source.moves.has(event)) {
        throw refuse(`${what}, but "${name}" never emits "${event}"`);
      }
      if (verb === "sees" && !has(past, source.index)) {
        throw refuse(`${what}, but no path leads from "${name}" to it`);
      }
      if (verb === "needs" && !paths.every((path) => holds(path, source, event))) {
        throw refuse(`${what}, which is not guaranteed on every path that reaches it`);
      }
    }
  }
}

function holds({ decided, ended }: Path, { index, moves }: GraphStep, event: string): boolean {
  if (event === anyEnd || moves.size === 1) return has(ended, index);
  const decision = decided.get(index);
  if (event !== anyEvent) return decision === event;
  if (!moves.has(failedEvent)) return has(ended, index);
  return decision !== undefined && decision !== failedEvent;
}
