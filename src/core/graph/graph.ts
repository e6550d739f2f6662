import type { ItemPolicy } from "../each/counts.ts";
import { eachOf, isItem } from "../each/items.ts";

/**
 * The kind of step: it runs code, decides, waits for a delivery, waits for time, or runs code for
 * each item of a list.
 */
export type StepKind = "step" | "choice" | "signal" | "timer" | "each";

/**
 * How an event leads to a step: plainly, joined with others, or as one of several where the first
 * counts.
 */
export type ArrivalMode = "plain" | "join" | "first";

/** A transition from an event to a step. */
export interface Arrival {
  /** The name of the step. */
  readonly to: string;
  /** How it arrives. */
  readonly mode: ArrivalMode;
}

/** An event that leads back to an earlier step. */
export interface BackEdge {
  /** The name of the step that it leads back to. */
  readonly to: string;
  /** How many rounds there are at most, including the first. */
  readonly limit: number;
  /** Whether the instance fails after the last round, because the event leads nowhere then. */
  readonly ends: boolean;
}

/** A step in the graph. */
export interface GraphStep {
  /** The name. */
  readonly name: string;
  /** The kind. */
  readonly kind: StepKind;
  /** The number of its row, from 0. Rows are in execution order. */
  readonly index: number;
  /**
   * Where each event leads; empty for `done` and `undo`. For an event that leads back: where it
   * leads after the last round.
   */
  readonly moves: ReadonlyMap<string, readonly Arrival[]>;
  /** The events that lead back to an earlier step. */
  readonly loops: ReadonlyMap<string, BackEdge>;
  /** The events that drop branches, with the first step of each. */
  readonly drops: ReadonlyMap<string, readonly string[]>;
  /** The events that end the instance by undoing what its steps have done. */
  readonly undoing: ReadonlySet<string>;
  /** The events that have something to undo. */
  readonly undoable: ReadonlySet<string>;
  /** The events that the workflow returns, each with the name of the outcome. */
  readonly returns: ReadonlyMap<string, string>;
  /** The steps that lead to it with `join`, in row order. */
  readonly sources: readonly string[];
  /** The steps that it reads and whose results are certain to exist when it starts. */
  readonly needs: readonly string[];
  /** The steps that it reads and whose results may exist when it starts. */
  readonly sees: readonly string[];
  /** Whether a delivery from outside may end it. */
  readonly asynchronous: boolean;
  /** The name of the workflow that it starts as its child. */
  readonly child?: string | undefined;
  /** How a step over a list runs its items; absent for other steps. */
  readonly items?: ItemPolicy | undefined;
}

/** A workflow as data, which can be drawn, compared and stored. */
export interface Graph {
  /** The name of the step that runs first. */
  readonly start: string;
  /** All steps, in row order. */
  readonly steps: ReadonlyMap<string, GraphStep>;
  /** The steps that lead to `step` with `join`, in row order. */
  sources(step: string): readonly string[];
  /** The steps that run again when an event leads back to `head`, in row order, `head` included. */
  body(head: string): ReadonlySet<string>;
  /** The steps that loops lead back to and that run `step` again. */
  loopsAround(step: string): readonly string[];
  /** The step and the steps that only it leads to, in row order: what `drop` withdraws. */
  branch(step: string): ReadonlySet<string>;
  /** The first steps of the branches that some event drops and that `step` belongs to. */
  branchesAround(step: string): readonly string[];
  /** Whether another step needs or sees `step`, or the workflow returns one of its events. */
  isRead(step: string): boolean;
}

const none: readonly never[] = [];
const nothing: ReadonlySet<string> = new Set();

/** The row of a step or of its items, from 0; -1 for a name that is not in the graph. */
export function row(graph: Graph, step: string): number {
  return graph.steps.get(isItem(step) ? eachOf(step) : step)?.index ?? -1;
}

/** Sorts what is about steps by their rows. */
export function inRowOrder<T extends { readonly step: string }>(
  graph: Graph,
  all: readonly T[],
): readonly T[] {
  return all.length < 2 ? all : [...all].sort((a, b) => row(graph, a.step) - row(graph, b.step));
}

/** Creates a graph from steps in execution order. */
export function graph(steps: readonly GraphStep[]): Graph {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const read = new Set(steps.flatMap((step) => [...step.needs, ...step.sees]));
  for (const { name, returns } of steps) if (returns.size > 0) read.add(name);
  const branches = droppedBranches(steps);
  const bodies = loopBodies(steps, branches);
  const around = new Map<string, string[]>();
  for (const [head, body] of bodies) {
    for (const name of body) around.set(name, [...around.get(name) ?? none, head]);
  }
  const dropped = new Map<string, string[]>();
  for (const [head, branch] of branches) {
    for (const name of branch) dropped.set(name, [...dropped.get(name) ?? none, head]);
  }
  return Object.freeze({
    start: steps[0]?.name ?? "",
    steps: byName,
    sources: (step: string): readonly string[] => byName.get(step)?.sources ?? [],
    body: (head: string): ReadonlySet<string> => bodies.get(head) ?? nothing,
    loopsAround: (step: string): readonly string[] => around.get(step) ?? none,
    branch: (step: string): ReadonlySet<string> =>
      branches.get(step) ?? branchOf(step, steps, nextSteps(steps)),
    branchesAround: (step: string): readonly string[] => dropped.get(step) ?? none,
    isRead: (step: string): boolean => read.has(step),
  });
}

/** The steps that each step leads to. */
export function nextSteps(steps: readonly GraphStep[]): ReadonlyMap<string, readonly string[]> {
  return new Map(steps.map((step) => [step.name, targetsOf(step)]));
}

/** The branches that events drop, by their first step. */
function droppedBranches(
  steps: readonly GraphStep[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const heads = new Set(steps.flatMap(({ drops }) => [...drops.values()].flat()));
  if (heads.size === 0) return new Map();
  const ahead = nextSteps(steps);
  return new Map([...heads].map((head) => [head, branchOf(head, steps, ahead)]));
}

/** A step and every step that cannot be reached without it. */
function branchOf(
  head: string,
  steps: readonly GraphStep[],
  ahead: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const behind = reachable(head, ahead);
  const start = steps[0]?.name ?? "";
  const others = start === head
    ? nothing
    : reachable(start, new Map([...ahead].filter(([name]) => name !== head)));
  const only = ({ name }: GraphStep) => name === head || (behind.has(name) && !others.has(name));
  return new Set(steps.filter(only).map(({ name }) => name));
}

/**
 * The steps of every loop, by the step that it leads back to: what lies between that step and the
 * rows that lead back to it, and the branches that these steps drop.
 */
function loopBodies(
  steps: readonly GraphStep[],
  branches: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const bodies = new Map<string, Set<string>>();
  const tails = steps.flatMap(({ name, loops }) => [...loops.values()].map(({ to }) => [to, name]));
  if (tails.length === 0) return bodies;
  const ahead = nextSteps(steps);
  const above = new Map<string, string[]>(steps.map(({ name }) => [name, []]));
  for (const [name, targets] of ahead) for (const to of targets) above.get(to)?.push(name);
  for (const [head = "", tail = ""] of tails) {
    const behind = reachable(head, ahead);
    const before = reachable(tail, above);
    const body = bodies.get(head) ?? new Set();
    for (const { name } of steps) if (behind.has(name) && before.has(name)) body.add(name);
    bodies.set(head, body);
  }
  if (branches.size === 0) return bodies;
  const drops = new Map(steps.map((step) => [step.name, [...step.drops.values()].flat()]));
  for (const [head, body] of bodies) {
    const behind = reachable(head, ahead);
    // A branch that is added may drop another one.
    for (const name of body) {
      for (const first of drops.get(name) ?? none) {
        if (!behind.has(first)) continue;
        for (const member of branches.get(first) ?? nothing) body.add(member);
      }
    }
  }
  return bodies;
}

/** The steps that the events of a step lead to. */
export function targetsOf({ moves }: Pick<GraphStep, "moves">): readonly string[] {
  return [...moves.values()].flatMap((arrivals) => arrivals.map(({ to }) => to));
}

/** The step and all that can be reached from it. */
export function reachable(
  from: string,
  next: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set([from]);
  for (const name of found) for (const to of next.get(name) ?? []) found.add(to);
  return found;
}
