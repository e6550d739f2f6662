import type { Refuse } from "../../define/options.ts";
import { type Graph, type GraphStep, reachable, targetsOf } from "../graph.ts";
import type { DropPaths, Race } from "./drops.ts";
import { certain, compatible, parted, type Path } from "./paths.ts";
import { has } from "./row_set.ts";

/** An event after which a run needs to return nothing more, with every path to this end. */
export interface EndPaths {
  readonly from: GraphStep;
  readonly event: string;
  /** The outcome that it returns; `undefined` where the instance fails or undoes. */
  readonly outcome: string | undefined;
  readonly paths: readonly Path[];
}

/** What the proof knows of a workflow. */
export interface Proved {
  readonly graph: Graph;
  /** The endings that are returned, and those after which the instance does not complete. */
  readonly ends: readonly EndPaths[];
  readonly drops: readonly DropPaths[];
  readonly races: readonly Race[];
}

/** A path that ends a run, with the name of its event. */
interface EndingPath extends Path {
  readonly by: string;
}

/** How many paths are looked at, in all cases together, before a workflow is refused. */
const mostLooks = 1_000_000;

/**
 * Proves that every run that completes returns exactly one outcome: no two of them can end in one
 * run, and every run has one of them, fails, or ends by undoing.
 *
 * A path stands for the runs that decide as it does. It counts only if nothing can drop its last
 * step before that ends: whether steps outside of a branch start never depends on a drop.
 */
export function proveReturns(proved: Proved, refuse: Refuse): void {
  const { ends, drops } = proved;
  if (ends.every(({ outcome }) => outcome === undefined)) return;
  const both = twoOf(ends.filter(({ outcome }) => outcome !== undefined).flatMap(named), new Set());
  if (both !== undefined) {
    throw refuse(
      `"${both[0].by}" and "${
        both[1].by
      }" can both be returned in one run. Return what comes after both, or drop the other branch`,
    );
  }
  const certainEnds: Path[] = [];
  let dropped: string | undefined;
  for (const end of ends) {
    for (const path of named(end)) {
      if (path.rough && end.outcome === undefined) continue;
      if (path.rough) {
        throw refuse(
          `there are too many ways to "${path.by}" to prove that every run returns something`,
        );
      }
      if (!drops.some((drop) => cutsOff(drop, end.from, path, proved.graph))) {
        certainEnds.push(path);
      } else if (end.outcome !== undefined) dropped = path.by;
    }
  }
  const missing = new Cases(proved).uncovered(certainEnds);
  if (missing === undefined) return;
  throw refuse(
    `a run may complete without returning anything${missing === "" ? "" : `: ${missing}`}` +
      (dropped === undefined ? "" : `. "${dropped}" does not count where it may be dropped before`),
  );
}

function named({ from, event, paths }: EndPaths): readonly EndingPath[] {
  return paths.map((path) => ({ ...path, by: `${from.name}.${event}` }));
}

/** Finds two different events that can both end in one run. */
function twoOf(
  paths: readonly EndingPath[],
  settled: ReadonlySet<number>,
): readonly [EndingPath, EndingPath] | undefined {
  const [head] = paths;
  if (paths.every(({ by }) => by === head?.by)) return undefined;
  const fork = parted(paths, settled);
  for (const group of fork?.groups ?? []) {
    const found = twoOf(group, fork!.settled);
    if (found !== undefined) return found;
  }
  if (fork !== undefined) return undefined;
  for (const [index, b] of paths.entries()) {
    for (const a of paths.slice(0, index)) {
      if (a.by !== b.by && compatible(a, b)) return [a, b];
    }
  }
  return undefined;
}

/**
 * Whether a drop may end this step, on this path, before it ends by itself. A loop may have dropped
 * a branch beside it in an earlier round, of which the path knows nothing.
 */
function cutsOff(
  { from, event, paths }: DropPaths,
  { name, index }: GraphStep,
  path: Path,
  graph: Graph,
): boolean {
  if (paths.every(({ ended }) => has(ended, index))) return false;
  const heads = from.drops.get(event) ?? [];
  const isBeside = (head: string) =>
    graph.loopsAround(from.name).some((loop) => !graph.body(loop).has(head));
  if (heads.some((head) => isBeside(head) && isBehind(head, name, graph))) return true;
  return heads.some((head) => graph.branch(head).has(name)) &&
    paths.some((other) => !has(other.ended, index) && compatible(path, other));
}

function isBehind(head: string, step: string, { steps }: Graph): boolean {
  const next = new Map([...steps.values()].map((step) => [step.name, targetsOf(step)]));
  return reachable(head, next).has(step);
}

/** What each row and each race can still decide. */
type Left = ReadonlyMap<number, readonly string[]>;

/** In the place of a winner: nobody has won the race. */
const nobody = "";

/** Goes through the ways in which the steps of a workflow can end. */
class Cases {
  readonly #steps: readonly GraphStep[];
  readonly #graph: Graph;
  readonly #drops: readonly DropPaths[];
  readonly #races: ReadonlyMap<number, Race>;
  #looked = 0;

  constructor({ graph, drops, races }: Proved) {
    this.#graph = graph;
    this.#steps = [...graph.steps.values()];
    this.#drops = drops;
    this.#races = new Map(races.map((race) => [race.place, race]));
  }

  /** Describes a run that takes none of these paths; `undefined` when there is none. */
  uncovered(paths: readonly Path[]): string | undefined {
    return this.#search(paths.map(({ decided }) => decided), new Map());
  }

  #search(paths: readonly Path["decided"][], left: Left): string | undefined {
    if (paths.some(({ size }) => size === 0)) return undefined;
    this.#looked += paths.length + 1;
    if (this.#looked > mostLooks) return "there are too many ways to end to prove the opposite";
    const key = shared(paths);
    if (key === undefined) return "";
    const race = this.#races.get(key);
    for (const value of this.#values(key, left)) {
      const now = new Map(left).set(key, [value]);
      const missing = race === undefined
        ? this.#search(deciding(paths, key, value), now)
        : this.#searchRace(deciding(paths, key, value), race, value, now);
      if (missing === undefined) continue;
      return this.#told(key, value) + (missing === "" ? "" : ` and ${missing}`);
    }
    return undefined;
  }

  #values(key: number, left: Left): readonly string[] {
    const known = left.get(key);
    if (known !== undefined) return known;
    const race = this.#races.get(key);
    if (race === undefined) return [...this.#steps[key]!.moves.keys()];
    const sides = [...race.wins.keys()];
    return sides.some((side) => this.#wins(race, side)) ? sides : [...sides, nobody];
  }

  /** Whether a side of a race certainly wins unless the other one does. */
  #wins(race: Race, side: string): boolean {
    const { moves } = this.#graph.steps.get(side)!;
    const lost = this.#lost(race, side);
    return race.wins.get(side)?.size === moves.size &&
      this.#won(race, side).every((path) =>
        !path.rough && [...path.decided.keys()].every((row) => !lost.has(row))
      );
  }

  /** The paths after which a side has won. */
  #won({ wins }: Race, side: string): readonly Path[] {
    const own = this.#drops.filter(({ from, event }) =>
      from.name === side && wins.get(side)?.has(event) === true
    );
    return own.flatMap(({ paths }) => paths);
  }

  /** The other rows of the branch in which a side is, and which the other side drops. */
  #lost({ wins }: Race, side: string): ReadonlySet<number> {
    const rows = new Set<number>();
    for (const [other, events] of wins) {
      for (const [event, heads] of other === side ? [] : this.#graph.steps.get(other)!.drops) {
        const branches = heads.map((head) => this.#graph.branch(head));
        for (const branch of branches.filter((one) => events.has(event) && one.has(side))) {
          for (const name of branch) {
            if (name !== side) rows.add(this.#graph.steps.get(name)!.index);
          }
        }
      }
    }
    return rows;
  }

  #searchRace(
    paths: readonly Path["decided"][],
    race: Race,
    winner: string,
    left: Left,
  ): string | undefined {
    const now = new Map(left);
    for (const [side, wins] of race.wins) {
      const { index, moves } = this.#graph.steps.get(side)!;
      const events = now.get(index) ?? [...moves.keys()];
      const won = events.filter((event) => wins.has(event));
      if (side === winner && won.length === 0) return undefined;
      if (side === winner) now.set(index, won);
      else if (winner === nobody && won.length < events.length) {
        now.set(index, events.filter((event) => !wins.has(event)));
      }
    }
    if (winner === nobody) return this.#search(paths, now);
    // The winner was reached, so its branch has decided in a way that leads to it.
    let taken = paths;
    const lost = this.#lost(race, winner);
    for (const [row, event] of certain(this.#won(race, winner)).decided) {
      if (!lost.has(row)) continue;
      if (now.get(row)?.includes(event) === false) return undefined;
      taken = deciding(taken, row, event);
      now.set(row, [event]);
    }
    return this.#search(taken, now);
  }

  #told(key: number, value: string): string {
    const race = this.#races.get(key);
    if (race === undefined) return `one with "${this.#steps[key]!.name}.${value}"`;
    return value === nobody ? "one that drops neither branch" : `one in which "${value}" is first`;
  }
}

/** The paths that are left where a row or a race has decided, without that decision. */
function deciding(
  paths: readonly Path["decided"][],
  key: number,
  value: string,
): readonly Path["decided"][] {
  return paths.filter((path) => (path.get(key) ?? value) === value).map((path) => {
    const rest = new Map(path);
    rest.delete(key);
    return rest;
  });
}

/** The decision that most of these paths have, the earliest one of several. */
function shared(paths: readonly Path["decided"][]): number | undefined {
  const counted = new Map<number, number>();
  for (const path of paths) {
    for (const key of path.keys()) counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  let [best, most]: [number | undefined, number] = [undefined, 0];
  for (const [key, count] of counted) {
    if (count > most || (count === most && key < best!)) [best, most] = [key, count];
  }
  return best;
}
