import { copy, including, intersect, none, type RowSet, same, unite } from "./row_set.ts";

/**
 * One path to a step. Two paths can only exclude each other through the event of a step with
 * several events, so only those events are kept. Of the other steps, only the fact that they ended
 * is kept.
 */
export interface Path {
  /**
   * The event of each step that could have ended with another one, by row, in row order. Races come
   * after the rows.
   */
  readonly decided: ReadonlyMap<number, string>;
  /** The rows of all steps that have certainly ended. */
  readonly ended: RowSet;
  /** The rows of all steps that cannot be active any more, because their branch was dropped. */
  readonly gone: RowSet;
  /** Whether there were too many paths, so that it also stands for runs that do not take it. */
  readonly rough: boolean;
}

/** The path to the first step. */
export const start: Path = { decided: new Map(), ended: none(), gone: none(), rough: false };

/** If a step has more paths than this, they are replaced by what is certain on all of them. */
export const limit = 4_096;

/** The path after an event of the step in row `index`. */
export function behind(path: Path, index: number, event: string, decides: boolean): Path {
  return {
    decided: decides ? new Map(path.decided).set(index, event) : path.decided,
    ended: including(path.ended, index),
    gone: path.gone,
    rough: path.rough,
  };
}

/** Whether both paths can occur in one run. */
export function compatible(
  { decided: a }: Pick<Path, "decided">,
  { decided: b }: Pick<Path, "decided">,
): boolean {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const [index, event] of small) {
    const other = large.get(index);
    if (other !== undefined && other !== event) return false;
  }
  return true;
}

/** All compatible combinations of one path from each source; empty when there are none. */
export function together(
  sources: readonly (readonly Path[])[],
  outcomes: Outcomes,
): readonly Path[] {
  const singles = sources.flatMap((paths) => paths.length === 1 ? paths : []);
  const first = all(singles);
  if (first === undefined) return [];
  let joined: readonly Path[] = [first];
  for (const paths of sources) {
    if (paths.length !== 1) joined = simplified(product(joined, paths), outcomes);
  }
  return joined;
}

/** The combination of all paths. It is built in place, because there may be thousands of them. */
function all(paths: readonly Path[]): Path | undefined {
  const decided = new Map<number, string>();
  let ended: RowSet | undefined;
  const gone = none();
  for (const path of paths) {
    if (!compatible({ decided }, path)) return undefined;
    for (const [index, event] of path.decided) decided.set(index, event);
    if (ended === undefined) ended = copy(path.ended);
    else unite(ended, path.ended);
    unite(gone, path.gone);
  }
  const rough = paths.some((path) => path.rough);
  return { decided: sorted(decided), ended: ended ?? none(), gone, rough };
}

function product(left: readonly Path[], right: readonly Path[]): readonly Path[] {
  if (left.length * right.length > 16 * limit) return product([roughly(left)], [roughly(right)]);
  const pairs: Path[] = [];
  for (const a of left) {
    for (const b of right) {
      if (!compatible(a, b)) continue;
      const [ended, gone] = [copy(a.ended), copy(a.gone)];
      unite(ended, b.ended);
      unite(gone, b.gone);
      const decided = sorted(new Map([...a.decided, ...b.decided]));
      pairs.push({ decided, ended, gone, rough: a.rough || b.rough });
    }
  }
  return pairs;
}

function sorted(decided: ReadonlyMap<number, string>): ReadonlyMap<number, string> {
  return new Map([...decided].sort(([a], [b]) => a - b));
}

/** What is true on every one of these paths. */
export function certain(paths: readonly Path[]): Path {
  const [head, ...rest] = paths;
  if (head === undefined) return start;
  if (rest.length === 0) return head;
  const [ended, gone] = [copy(head.ended), copy(head.gone)];
  for (const path of rest) {
    intersect(ended, path.ended);
    intersect(gone, path.gone);
  }
  const decided = new Map(
    [...head.decided].filter(([index, event]) =>
      rest.every((path) => path.decided.get(index) === event)
    ),
  );
  return { decided, ended, gone, rough: paths.some((path) => path.rough) };
}

/** The same in place of these paths, although it is also true in other runs. */
function roughly(paths: readonly Path[]): Path {
  return { ...certain(paths), rough: paths.length > 1 || paths.some(({ rough }) => rough) };
}

/** How decisions may be dropped. */
export interface Outcomes {
  /** The number of events of each row, and of ends of each race. */
  readonly of: readonly number[];
  /** Rows whose decisions are kept where the same steps have not ended on all paths. */
  readonly kept: ReadonlySet<number>;
}

/**
 * Reduces the number of paths: paths with the same decisions are merged, and a decision is dropped
 * if every outcome of the step leads to the same paths.
 */
export function simplified(paths: readonly Path[], outcomes: Outcomes): readonly Path[] {
  if (paths.length < 2) return paths;
  const alike = new Map<string, Path[]>();
  for (const path of paths) {
    const key = JSON.stringify([...path.decided]);
    const same = alike.get(key);
    if (same === undefined) alike.set(key, [path]);
    else same.push(path);
  }
  const unique = [...alike.values()].map(certain);
  return unique.length > limit ? [roughly(unique)] : merged(unique, outcomes, new Set());
}

function merged(
  paths: readonly Path[],
  outcomes: Outcomes,
  settled: ReadonlySet<number>,
): readonly Path[] {
  const fork = parted(paths, settled);
  if (fork === undefined) return paths;
  const groups = fork.groups.map((group) => merged(group, outcomes, fork.settled));
  const [head = [], ...rest] = groups;
  const isKept = outcomes.kept.has(fork.index);
  const free = groups.length === outcomes.of[fork.index] &&
    rest.every((group) =>
      group.length === head.length &&
      group.every((path, at) =>
        equal(path, head[at], fork.index) && (!isKept || same(path.ended, head[at]!.ended))
      )
    );
  if (!free) return groups.flat();
  return head.map((_, at) => certain(groups.flatMap((group) => group.slice(at, at + 1))));
}

function equal(path: Path, other: Path | undefined, but: number): boolean {
  if (path.decided.size !== other?.decided.size) return false;
  for (const [index, event] of path.decided) {
    if (index !== but && other.decided.get(index) !== event) return false;
  }
  return true;
}

/**
 * Paths in groups that exclude each other, because all of them decide one step and do so
 * differently.
 */
export interface Fork<P extends Path> {
  readonly index: number;
  readonly groups: readonly (readonly P[])[];
  /** The steps that need not be examined again. */
  readonly settled: ReadonlySet<number>;
}

/**
 * Groups paths by a step that all of them decide, but not all in the same way; `undefined` when
 * there is no such step.
 */
export function parted<P extends Path>(
  paths: readonly P[],
  before: ReadonlySet<number>,
): Fork<P> | undefined {
  const [head, ...rest] = paths;
  if (head === undefined || rest.length === 0) return undefined;
  const shortest = rest.reduce((a, b) => b.decided.size < a.decided.size ? b : a, head);
  const settled = new Set(before);
  for (const index of shortest.decided.keys()) {
    if (settled.has(index) || !paths.every((path) => path.decided.has(index))) continue;
    settled.add(index);
    const groups = new Map<string, P[]>();
    for (const path of paths) {
      const event = path.decided.get(index) ?? "";
      const group = groups.get(event);
      if (group === undefined) groups.set(event, [path]);
      else group.push(path);
    }
    if (groups.size > 1) return { index, groups: [...groups.values()], settled };
  }
  return undefined;
}
