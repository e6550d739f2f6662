import { type Graph, reachable, targetsOf } from "../core/graph/graph.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import type { State } from "./walk.ts";

/** Sets of roads, one bit for each. A walk has many states. */
type Roads = bigint;

/**
 * The events, as `step.event`, after which an instance may end by undoing although the step has no
 * `undo` for them. Failures are left out: they have done nothing that is known.
 */
export function notUndone(
  { graph, undoOn, deadline }: Workflow,
  states: readonly State[],
): readonly string[] {
  const undoes = undoOn.size > 0 ||
    [...graph.steps.values()].some(({ undoing }) => undoing.size > 0);
  if (!undoes) return [];
  const names = [...graph.steps.values()].flatMap(({ name, moves }) =>
    [...moves.keys()].map((event) => `${name}.${event}`)
  );
  const before = new Before(graph, states, names);
  let found: Roads = 0n;
  for (const state of states) {
    // The walk takes the steps that are active in one order, and any of them may be the first.
    for (const step of state.active) {
      const { kind, moves, undoing } = graph.steps.get(step)!;
      const fails = kind === "step" && !moves.has("failed");
      // A choice decides in the turn in which it starts: nothing comes in between.
      const mayBeEnded = kind !== "choice" && (undoOn.has("cancelled") ||
        (undoOn.has("failed") && (fails || deadline !== undefined)));
      const isBefore = undoing.size > 0 || mayBeEnded;
      if (isBefore) found |= before.endOf(step, state);
    }
    if (state.end === "undone" || (state.end === "failed" && undoOn.has("failed"))) {
      found |= before.endAt(state);
    }
  }
  const isEffect = new Set(
    [...graph.steps.values()].flatMap(({ name, kind, moves, undoable }) =>
      kind !== "step"
        ? []
        : [...moves.keys()].filter((event) => event !== "failed" && !undoable.has(event))
          .map((event) => `${name}.${event}`)
    ),
  );
  return names.filter((name, at) => isEffect.has(name) && (found >> BigInt(at) & 1n) === 1n);
}

/** What can have ended before an instance ends. */
class Before {
  readonly #graph: Graph;
  readonly #roads: ReadonlyMap<string, Roads>;
  readonly #past = new Map<State, Roads>();
  readonly #future = new Map<State, Roads>();
  /** The roads of a step and of all that it leads to. */
  readonly #ahead = new Map<string, Roads>();

  constructor(graph: Graph, states: readonly State[], names: readonly string[]) {
    this.#graph = graph;
    this.#roads = new Map(names.map((name, at) => [name, 1n << BigInt(at)]));
    const of = (ended: State["ways"][number]["ended"]) =>
      ended === undefined ? 0n : this.#road(ended.step, ended.event);
    for (const state of states) {
      const here = this.#past.get(state) ?? 0n;
      for (const { ended, to } of state.ways) {
        this.#past.set(to, (this.#past.get(to) ?? 0n) | here | of(ended));
      }
    }
    for (const state of [...states].reverse()) {
      const roads = state.ways.map(({ ended, to }) => of(ended) | (this.#future.get(to) ?? 0n));
      this.#future.set(state, roads.reduce((all, one) => all | one, 0n));
    }
    const next = new Map([...graph.steps.values()].map((step) => [step.name, targetsOf(step)]));
    for (const name of next.keys()) {
      const steps = [...reachable(name, next)];
      this.#ahead.set(name, steps.reduce((all, step) => all | this.#roadsOf(step), 0n));
    }
  }

  /** Before an instance has ended in this way. */
  endAt(state: State): Roads {
    return this.#past.get(state) ?? 0n;
  }

  /** Before an active step ends: also what is active beside it, and what that leads to. */
  endOf(step: string, state: State): Roads {
    const beside = state.active.reduce((all, name) => all | this.#roadsOf(name), 0n) |
      (this.#future.get(state) ?? 0n);
    return (this.#past.get(state) ?? 0n) | (beside & ~(this.#ahead.get(step) ?? 0n));
  }

  #roadsOf(step: string): Roads {
    return [...this.#graph.steps.get(step)!.moves.keys()]
      .reduce((all, event) => all | this.#road(step, event), 0n);
  }

  #road(step: string, event: string): Roads {
    return this.#roads.get(`${step}.${event}`) ?? 0n;
  }
}
