import type { Activation } from "../core/engine/activation.ts";
import { emptyControl } from "../core/engine/control.ts";
import { advance, open } from "../core/engine/engine.ts";
import type { Control } from "../core/engine/instance.ts";
import type { Decide, Progress, StepEnding } from "../core/engine/progress.ts";
import { type Graph, graph, reachable, row, targetsOf } from "../core/graph/graph.ts";

/** One way on from a state. */
export interface Way {
  /** What ended, in order: a step, and the choices after it. */
  readonly ended: readonly Pick<StepEnding, "step" | "event">[];
  readonly to: State;
}

/** Where a run can stand. Runs that stand in the same place go on in the same ways. */
export interface State {
  readonly active: readonly string[];
  /** How the run has ended, unless it goes on. */
  readonly end: "completed" | "failed" | "undone" | undefined;
  /** What the run returns if it completes, as far as it has come. */
  readonly outcome: string | undefined;
  /** Empty when the run has ended, or when the walk has stopped here. */
  readonly ways: readonly Way[];
}

/** Every state that a walk has found. */
export interface Walk {
  /** The state before the start first, and each state before those that it leads to. */
  readonly states: readonly State[];
  /** Whether it has found all of them. */
  readonly complete: boolean;
}

interface Stop extends State {
  readonly control: Control;
  ways: readonly Way[];
}

/** How a graph is walked. */
export interface WalkOptions {
  /** How many rounds of each loop are walked at most. */
  readonly rounds: number;
  /** How many states are looked at. */
  readonly most: number;
  /** Steps that end only when nothing else is active. */
  readonly isLast: (step: string) => boolean;
}

/**
 * Walks every road of a graph through the engine. Only one order is tried, because a proof says that
 * it makes no difference; where a branch can be dropped, every order is.
 */
export function walk(of: Graph, { rounds, most, isLast }: WalkOptions): Walk {
  const bounded = withRounds(of, rounds);
  const walker = new Walker(bounded, isLast);
  const start: Stop = {
    control: emptyControl,
    active: [],
    end: undefined,
    outcome: undefined,
    ways: [],
  };
  start.ways = walker.turns((decide) => open(bounded, decide));
  const before = new Set<Stop>([start]);
  const backwards: State[] = [];
  const path = [{ stop: start, left: stops(start) }];
  let complete = true;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.left.pop();
    if (next === undefined) {
      backwards.push(top.stop);
      path.pop();
    } else if (!before.has(next)) {
      before.add(next);
      if (before.size < most) next.ways = walker.waysFrom(next);
      else if (next.active.length > 0) complete = false;
      path.push({ stop: next, left: stops(next) });
    }
  }
  return { states: backwards.reverse(), complete };
}

function stops({ ways }: State): Stop[] {
  return ways.map(({ to }) => to as Stop);
}

/** The same graph with smaller limits. What has been done is not looked at, so it is not undone. */
function withRounds({ steps }: Graph, rounds: number): Graph {
  return graph([...steps.values()].map((step) => ({
    ...step,
    undoable: new Set(),
    loops: new Map(
      [...step.loops].map(([event, loop]) =>
        [event, { ...loop, limit: Math.min(loop.limit, rounds) }] as const
      ),
    ),
  })));
}

/** A choice has to decide before the walk can go on. */
class Undecided extends Error {
  readonly step: string;
  constructor(step: string) {
    super(`Choice "${step}" has to decide`);
    this.step = step;
  }
}

class Walker {
  readonly #graph: Graph;
  readonly #isLast: WalkOptions["isLast"];
  readonly #known = new Map<string, Stop>();
  readonly #ahead: ReadonlyMap<string, ReadonlySet<string>>;
  /** Steps whose order makes a difference: those that can be dropped, and those that drop. */
  readonly #racing: ReadonlySet<string>;

  constructor(of: Graph, isLast: WalkOptions["isLast"]) {
    this.#graph = of;
    this.#isLast = isLast;
    const next = new Map([...of.steps.values()].map((step) => [step.name, targetsOf(step)]));
    this.#ahead = new Map([...next.keys()].map((name) => [name, reachable(name, next)]));
    this.#racing = racing(of);
  }

  waysFrom({ control, active }: Stop): readonly Way[] {
    return this.#next(active).flatMap((step) => {
      const { activation } = control.active.get(step)!;
      return [...this.#graph.steps.get(step)!.moves.keys()].flatMap((event) => {
        const ending = { step, activation, event, output: undefined, metadata: undefined };
        return this.turns((decide) => advance(this.#graph, control, [ending], decide));
      });
    });
  }

  /** The steps of which one ends next. */
  #next(active: readonly string[]): readonly string[] {
    const calm = active.filter((name) => !this.#racing.has(name));
    const early = calm.filter((name) => !this.#isLast(name));
    // What ends the instance by undoing goes last, or it would hide the roads of steps beside it.
    const undoes = (name: string) => this.#graph.steps.get(name)!.undoing.size > 0;
    const first = early.find((name) => !undoes(name)) ?? early[0];
    if (first !== undefined) return [first];
    return calm.length < active.length
      ? active.filter((name) => this.#racing.has(name))
      : active.slice(0, 1);
  }

  /** A turn, once for each way in which its choices can decide. */
  turns(turn: (decide: Decide) => Progress): readonly Way[] {
    const ways: Way[] = [];
    const scripts: (readonly string[])[] = [[]];
    for (let script = scripts.pop(); script !== undefined; script = scripts.pop()) {
      const progress = turn(following(script));
      const thrown = progress.failed?.thrown;
      if (thrown instanceof Undecided) {
        const events = [...this.#graph.steps.get(thrown.step)!.moves.keys()].reverse();
        for (const event of events) scripts.push([...script, event]);
      } else {
        const ended = progress.applied.map(({ ending: { step, event } }) => ({ step, event }));
        ways.push({ ended, to: this.#stopAt(progress) });
      }
    }
    return ways;
  }

  #stopAt({ control, status }: Progress): Stop {
    const active = [...control.active.keys()]
      .sort((a, b) => row(this.#graph, a) - row(this.#graph, b));
    const isEnd = status === "completed" || status === "failed" || status === "undone";
    const end = isEnd ? status : undefined;
    const outcome = control.returned?.outcome;
    const key = JSON.stringify([end, outcome, active, ...this.#what(control, active)]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const stop = { control, active, end, outcome, ways: [] };
    this.#known.set(key, stop);
    return stop;
  }

  /** What of a control still makes a difference: the rest is behind all active steps. */
  #what({ arrived, begun, rounds }: Control, active: readonly string[]): readonly unknown[] {
    const isAhead = (step: string) => active.some((name) => this.#ahead.get(name)?.has(step));
    const isIn = (head: string) => active.some((name) => this.#graph.body(head).has(name));
    return [
      [...arrived].filter(([join]) => isAhead(join)).sort(),
      [...begun].filter(isAhead).sort(),
      [...rounds].filter(([head]) => isIn(head)).map(([head, { since }]) => [head, since]).sort(),
    ];
  }
}

/** Decides as the script says, and then throws. */
function following(script: readonly string[]): Decide {
  let at = 0;
  return ({ step }: Activation) => {
    const event = script[at++];
    if (event === undefined) throw new Undecided(step);
    return { event, output: undefined, metadata: undefined };
  };
}

function racing(of: Graph): ReadonlySet<string> {
  const steps = [...of.steps.values()].reverse();
  const droppers = new Set<string>();
  for (const step of steps) {
    const decides = (to: string) => of.steps.get(to)?.kind === "choice" && droppers.has(to);
    if (step.drops.size > 0 || targetsOf(step).some(decides)) droppers.add(step.name);
  }
  const heads = steps.flatMap(({ drops }) => [...drops.values()].flat());
  return new Set([...droppers, ...heads.flatMap((head) => [...of.branch(head)])]);
}
