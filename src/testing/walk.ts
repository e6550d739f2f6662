import { activationKey } from "../core/engine/activation.ts";
import { restart } from "../core/engine/by_hand/restart.ts";
import { emptyControl } from "../core/engine/control.ts";
import { advance, open } from "../core/engine/engine.ts";
import type { Control } from "../core/engine/instance.ts";
import type { Decide, Progress, StepEnding } from "../core/engine/progress.ts";
import {
  type Graph,
  graph,
  type GraphStep,
  reachable,
  row,
  targetsOf,
} from "../core/graph/graph.ts";

/** One way on from a state. */
export interface Way {
  /** The step or the choice that ended; `undefined` for the start. */
  readonly ended: Pick<StepEnding, "step" | "event"> | undefined;
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
 * Walks every road of a graph through the engine. Only one order is tried, because a proof says
 * that it makes no difference; where a branch can be dropped, every order is.
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
  start.ways = [walker.way(undefined, open(bounded, later))];
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
    // One step with two events, whatever its items do.
    kind: step.kind === "each" ? "step" : step.kind,
    undoable: new Set(),
    loops: new Map(
      [...step.loops].map(([event, loop]) =>
        [event, { ...loop, limit: Math.min(loop.limit, rounds) }] as const
      ),
    ),
  })));
}

/**
 * Leaves a choice undecided. Each choice is a state of its own: within one turn, choices in a row
 * would have as many ways as all their events together.
 */
const later: Decide = () => undefined;

class Walker {
  readonly #graph: Graph;
  readonly #isLast: WalkOptions["isLast"];
  readonly #known = new Map<string, Stop>();
  readonly #before = new Map<string, ReadonlySet<string>>();
  /** Steps whose order makes a difference: those that can be dropped, and those that drop. */
  readonly #racing: ReadonlySet<string>;

  constructor(of: Graph, isLast: WalkOptions["isLast"]) {
    this.#graph = of;
    this.#isLast = isLast;
    this.#racing = racing(of);
  }

  waysFrom({ control, active }: Stop): readonly Way[] {
    return this.#next(active).flatMap((step) => {
      const { kind, moves } = this.#graph.steps.get(step)!;
      const one = { step, activation: control.active.get(step)!.activation };
      return [...moves.keys()].map((event) => {
        const ended = { event, output: undefined, metadata: undefined };
        const decide: Decide = (choice) =>
          activationKey(choice) === activationKey(one) ? ended : undefined;
        const progress = kind === "choice"
          ? restart(this.#graph, control, [one], decide)
          : advance(this.#graph, control, [{ ...one, ...ended }], later);
        return this.way({ step, event }, progress);
      });
    });
  }

  way(ended: Way["ended"], progress: Progress): Way {
    return { ended, to: this.#stopAt(progress) };
  }

  /** The steps of which one ends next. */
  #next(active: readonly string[]): readonly string[] {
    const choice = active.find((name) => this.#graph.steps.get(name)!.kind === "choice");
    if (choice !== undefined) return [choice];
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
    const isAhead = (step: string) => this.#isAhead(step, active, "starts");
    const isIn = (head: string) => this.#isAhead(head, active, "loops");
    return [
      [...arrived].filter(([join]) => isAhead(join)).sort(),
      [...begun].filter(isAhead).sort(),
      [...rounds].filter(([head]) => isIn(head)).map(([head, { since }]) => [head, since]).sort(),
    ];
  }

  /** Whether `step` can start, or an event can lead back to it, before its state is forgotten. */
  #isAhead(step: string, active: readonly string[], what: "starts" | "loops"): boolean {
    const key = `${what} ${step}`;
    let before = this.#before.get(key);
    if (before === undefined) this.#before.set(key, before = this.#stepsBefore(step, what));
    return active.some((name) => before.has(name));
  }

  #stepsBefore(step: string, what: "starts" | "loops"): ReadonlySet<string> {
    const steps = [...this.#graph.steps.values()];
    const heads = ({ loops }: GraphStep) => [...loops.values()].map(({ to }) => to);
    // A round that begins forgets the state of everything in the loop but of its first step.
    const keeps = (head: string) => head === step || !this.#graph.body(head).has(step);
    const next = new Map(
      steps.map((one) => [one.name, [...targetsOf(one), ...heads(one).filter(keeps)]]),
    );
    const ends = what === "starts"
      ? [step]
      : steps.filter((one) => heads(one).includes(step)).map(({ name }) => name);
    const leads = ({ name }: GraphStep) => {
      const ahead = reachable(name, next);
      return ends.some((end) => ahead.has(end));
    };
    return new Set(steps.filter(leads).map(({ name }) => name));
  }
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
