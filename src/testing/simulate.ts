import type { Graph } from "../core/graph/graph.ts";
import type { OutcomeName } from "../core/graph/returns_types.ts";
import { checkWorkflow } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { checkNames } from "../core/value/option_names.ts";
import { notUndone } from "./not_undone.ts";
import { type State, walk } from "./walk.ts";

/** A road that a workflow can take. */
export interface Road {
  /** Name of the step. */
  readonly step: string;
  /** Its event. */
  readonly event: string;
  /** How often it is taken in all runs together. */
  readonly taken: number;
}

/** What a walk over every road of a workflow has found. */
export interface Simulation<Outcome extends string = string> {
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version of the workflow. */
  readonly version: number;
  /** How many rounds of each loop were walked at most. */
  readonly rounds: number;
  /** How many different runs there are. Above 2^53 it is rounded. */
  readonly runs: number;
  /** Whether these are all runs, with at most so many rounds. */
  readonly complete: boolean;
  /** How runs end: `failed` when the rounds of a loop are used up and it leads nowhere then. */
  readonly ends: {
    readonly completed: number;
    readonly failed: number;
    /** Runs that end by undoing. */
    readonly undone: number;
  };
  /** How many runs return each outcome, in row order; empty if the workflow returns nothing. */
  readonly outcomes: { readonly [K in Outcome]: number };
  /** Every road, in row order. */
  readonly roads: readonly Road[];
  /** The steps of the longest run, in order. */
  readonly longest: readonly string[];
  /** Waits that can be all that an instance still waits for, with nothing that limits them. */
  readonly unlimited: readonly string[];
  /** Steps that fail their instance, because their row has no road for `failed`. */
  readonly unhandled: readonly string[];
  /**
   * Events, as `step.event`, after which an instance may end by undoing although the step has no
   * `undo` for them.
   */
  readonly notUndone: readonly string[];
  /** All this as text. */
  toText(): string;
}

/** The options of a simulation. */
export interface SimulateOptions {
  /** How many rounds of each loop are walked at most. Default: 2. */
  readonly rounds?: number;
  /** How many states are looked at before the walk stops. Default: 100,000. */
  readonly states?: number;
}

/**
 * Walks every road of a workflow through the engine, without a database and without running any
 * code.
 *
 * It answers what a test of the whole workflow asks: which roads there are and how often they are
 * taken, how runs end, what the longest run is, where an instance may wait for ever, which failures
 * nothing handles, and what is not undone where instances end by undoing. Two runs differ if a step
 * ends with another event. Where branches can be dropped, they also differ in what comes first.
 * Steps beside one that ends the instance by undoing end before it. Failures without a road are
 * listed and not walked.
 *
 * @throws {TypeError} When `workflow` is not a workflow or an option is unknown.
 * @throws {RangeError} When an option is not a positive whole number.
 *
 * @example Find a wait without a limit
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { done, signal, step, type, workflow } from "@hephaestus/workflow";
 * import { simulate } from "@hephaestus/workflow/testing";
 *
 * const ask = step("ask", { events: { asked: type() }, run: ({ emit }) => emit.asked() });
 * const approval = signal("approval", { events: { yes: type(), no: type() } });
 * const ship = step("ship", { events: { shipped: type() }, run: ({ emit }) => emit.shipped() });
 * const order = workflow("order", { key: "id", input: type(), start: ask })
 *   .on(ask, { asked: approval })
 *   .on(approval, { yes: ship, no: done })
 *   .on(ship, { shipped: done })
 *   .build();
 *
 * const { runs, longest, unlimited, unhandled } = simulate(order);
 * assertEquals(runs, 2);
 * assertEquals(longest, ["ask", "approval", "ship"]);
 * assertEquals(unlimited, ["approval"]);
 * assertEquals(unhandled, ["ask", "ship"]);
 * ```
 */
export function simulate<In, Deliveries, Given, Outputs>(
  workflow: Workflow<string, In, Deliveries, Given, Outputs>,
  options?: SimulateOptions,
): Simulation<[OutcomeName<Outputs>] extends [never] ? string : OutcomeName<Outputs>>;
export function simulate(workflow: Workflow, options: SimulateOptions = {}): Simulation {
  checkWorkflow("simulate", workflow);
  if (!("graph" in workflow)) {
    throw new TypeError("Cannot simulate several versions at once: pass one of them");
  }
  checkNames("simulate", options, { rounds: true, states: true });
  const { rounds = 2, states: most = 100_000 } = options;
  for (const [name, value] of Object.entries({ rounds, states: most })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new RangeError(`Cannot simulate: option "${name}" is not a positive whole number`);
  }
  const { graph, steps } = workflow;
  const isOpen = (name: string) => {
    const step = steps.get(name);
    // What a child waits for, a simulation of its own workflow shows.
    const waits = step?.kind === "signal" || (step?.asynchronous === true && !step.child);
    return waits && step.expires === undefined;
  };
  const { states, complete } = walk(graph, { rounds, most, isLast: isOpen });
  const { taken, returned, ...counted } = count(states);
  const reached = new Set(states.flatMap(({ active }) => active));
  const stuck = new Set(
    states.filter(({ active }) => active.every(isOpen)).flatMap(({ active }) => active),
  );
  const data = {
    workflow: workflow.name,
    version: workflow.version,
    rounds,
    complete,
    ...counted,
    outcomes: Object.fromEntries(outcomesOf(graph).map((name) => [name, returned.get(name) ?? 0])),
    roads: [...graph.steps.values()].flatMap(({ name, moves }) =>
      [...moves.keys()].map((event) => ({
        step: name,
        event,
        taken: taken.get(`${name}.${event}`) ?? 0,
      }))
    ),
    unlimited: workflow.deadline === undefined
      ? [...steps.keys()].filter((name) => stuck.has(name))
      : [],
    unhandled: [...graph.steps.values()]
      .filter(({ name, kind, moves }) =>
        (kind === "step" || kind === "each") && !moves.has("failed") && reached.has(name)
      )
      .map(({ name }) => name),
    notUndone: notUndone(workflow, states),
  };
  return Object.freeze({ ...data, toText: () => simulationText(data) });
}

function outcomesOf({ steps }: Graph): readonly string[] {
  return [...steps.values()].flatMap(({ returns }) => [...returns.values()]);
}

interface Counted {
  readonly runs: number;
  readonly ends: Simulation["ends"];
  readonly longest: readonly string[];
  readonly taken: ReadonlyMap<string, number>;
  readonly returned: ReadonlyMap<string, number>;
}

/** Counts runs along the states. They are in an order in which none leads to an earlier one. */
function count(states: readonly State[]): Counted {
  const runsFrom = new Map<State, number>();
  const longestFrom = new Map<State, { readonly length: number; readonly at: number }>();
  for (const state of [...states].reverse()) {
    let runs = state.ways.length === 0 ? 1 : 0;
    let longest = { length: 0, at: -1 };
    for (const [at, { ended, to }] of state.ways.entries()) {
      runs += runsFrom.get(to) ?? 0;
      const length = (ended === undefined ? 0 : 1) + (longestFrom.get(to)?.length ?? 0);
      if (length > longest.length) longest = { length, at };
    }
    runsFrom.set(state, runs);
    longestFrom.set(state, longest);
  }
  const [start] = states;
  const runsTo = new Map<State, number>(start === undefined ? [] : [[start, 1]]);
  const taken = new Map<string, number>();
  const ends = { completed: 0, failed: 0, undone: 0 };
  const returned = new Map<string, number>();
  for (const state of states) {
    const here = runsTo.get(state) ?? 0;
    if (state.end !== undefined) ends[state.end] += here;
    if (state.end === "completed" && state.outcome !== undefined) {
      returned.set(state.outcome, (returned.get(state.outcome) ?? 0) + here);
    }
    for (const { ended, to } of state.ways) {
      runsTo.set(to, (runsTo.get(to) ?? 0) + here);
      if (ended === undefined) continue;
      const road = `${ended.step}.${ended.event}`;
      taken.set(road, (taken.get(road) ?? 0) + here * (runsFrom.get(to) ?? 0));
    }
  }
  const longest: string[] = [];
  for (let state = start; state !== undefined;) {
    const way: State["ways"][number] | undefined = state.ways[longestFrom.get(state)?.at ?? -1];
    if (way?.ended !== undefined) longest.push(way.ended.step);
    state = way?.to;
  }
  const runs = start === undefined ? 0 : runsFrom.get(start) ?? 0;
  return { runs, ends, longest, taken, returned };
}

/** A simulation as lines for people. */
function simulationText(of: Omit<Simulation, "toText">): string {
  const number = (value: number) => value.toLocaleString("en");
  const width = Math.max(...of.roads.map(({ step, event }) => step.length + event.length + 1));
  const lines = [
    `${of.workflow}, version ${of.version}: ${number(of.runs)} runs` +
    (of.complete ? "" : " (not all: the walk has stopped)") +
    `, at most ${number(of.rounds)} rounds of each loop`,
    `ends: ${number(of.ends.completed)} completed, ${number(of.ends.failed)} failed, ${
      number(of.ends.undone)
    } undone`,
    ...Object.entries(of.outcomes).map(([name, runs]) => `returns ${name}: ${number(runs)}`),
    `longest: ${of.longest.join(" → ")}`,
    `waits without a limit: ${listed(of.unlimited)}`,
    `failures without a road: ${listed(of.unhandled)}`,
    ...of.notUndone.length === 0 ? [] : [`effects that nobody undoes: ${listed(of.notUndone)}`],
    "roads, and how often they are taken:",
    ...of.roads.map(({ step, event, taken }) =>
      `  ${`${step}.${event}`.padEnd(width)}  ${taken === 0 ? "never" : number(taken)}`
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
