import type { Workflow } from "../../../../src/core/graph/workflow.ts";
import { numbers } from "./random_graphs.ts";

/** How a step ends in a round, from 1. */
export type Choices = (step: string, round: number) => string;

/** What a run did, by an executor that knows nothing of the engine. */
export interface Run {
  /** The steps that started, each as often as it did. */
  readonly started: readonly string[];
  /** How steps ended, in the last round of each loop. */
  readonly endings: readonly string[];
  /** Whether all rounds of a loop were used up, and it led nowhere then. */
  readonly usedUp: boolean;
  /** Arrivals that would have started a step a second time in one round. */
  readonly twice: readonly string[];
  /** Steps that started without something they need. */
  readonly unmet: readonly string[];
  /** Steps that the loop had started, or arrivals of it at a join, when it led back. */
  readonly inTheWay: readonly string[];
  /** Steps that started after they had been dropped. */
  readonly dropped: readonly string[];
  /** Joins that wait in a loop for a step outside, which arrived in an earlier round. */
  readonly lost: readonly string[];
}

/**
 * Runs a workflow; `next` chooses which of the active steps ends. Where rounds are used up, the
 * rest of the run goes on, so that a run does not depend on the order.
 */
export function execute(
  workflow: Workflow,
  choices: Choices,
  next: (active: number) => number,
): Run {
  const { graph, steps } = workflow;
  const ended = new Map<string, string>();
  const arrived = new Map<string, Set<string>>();
  const begun = new Set<string>();
  const startedBy = new Map<string, readonly string[]>();
  const times = new Map<string, number>();
  const gone = new Set<string>();
  const rounds = new Map<string, number>();
  const active: string[] = [];
  const run = {
    twice: [] as string[],
    unmet: [] as string[],
    inTheWay: [] as string[],
    lost: [] as string[],
    dropped: [] as string[],
    usedUp: false,
  };
  const all: string[] = [];

  const start = (name: string, by: Iterable<string>): void => {
    if (begun.has(name) || active.includes(name)) {
      run.twice.push(name);
      return;
    }
    if (gone.has(name)) run.dropped.push(name);
    begun.add(name);
    startedBy.set(name, [...by]);
    active.push(name);
    all.push(name);
    for (const need of steps.get(name)!.needs) {
      const event = ended.get(need.name);
      if (!isMet(need.event, event)) run.unmet.push(`${name} needs ${need.name}.${need.event}`);
    }
  };
  const again = (head: string): void => {
    rounds.set(head, (rounds.get(head) ?? 1) + 1);
    const inLoop = graph.body(head);
    const isInTheWay = (sources: Iterable<string>) => [...sources].some((one) => inLoop.has(one));
    run.inTheWay.push(...active.filter((name) => isInTheWay(startedBy.get(name)!)));
    for (const [join, sources] of arrived) {
      // What has started otherwise in this round needs no other arrival.
      if (!begun.has(join) && isInTheWay(sources)) run.inTheWay.push(join);
    }
    for (const name of graph.body(head)) {
      if (name !== head) rounds.delete(name);
      begun.delete(name);
      arrived.delete(name);
      gone.delete(name);
      times.set(name, (times.get(name) ?? 1) + 1);
      // What the last round has not done again is not there any more.
      ended.delete(name);
    }
    start(head, []);
  };

  const drop = (name: string): void => {
    gone.add(name);
    arrived.delete(name);
    if (active.includes(name)) active.splice(active.indexOf(name), 1);
  };

  start(graph.start, []);
  while (active.length > 0) {
    const [name = ""] = active.splice(next(active.length), 1);
    const event = choices(name, times.get(name) ?? 1);
    ended.set(name, event);
    const step = graph.steps.get(name)!;
    for (const head of step.drops.get(event) ?? []) graph.branch(head).forEach(drop);
    const loop = step.loops.get(event);
    if (loop !== undefined && (rounds.get(loop.to) ?? 1) < loop.limit) again(loop.to);
    else if (loop?.ends) run.usedUp = true;
    else {for (const { to, mode } of step.moves.get(event)!) {
        if (mode === "first" && begun.has(to)) continue;
        if (mode !== "join") start(to, [name]);
        else {
          const sources = (arrived.get(to) ?? new Set()).add(name);
          arrived.set(to, sources);
          if (sources.size < graph.sources(to).length) continue;
          arrived.delete(to);
          start(to, sources);
        }
      }}
  }
  for (const [join, sources] of arrived) {
    const outside = (name: string) =>
      graph.loopsAround(join).some((head) => !graph.body(head).has(name));
    const joins = (name: string) => {
      const arrivals = graph.steps.get(name)!.moves.get(ended.get(name) ?? "") ?? [];
      return arrivals.some(({ to, mode }) => to === join && mode === "join");
    };
    const missing = graph.sources(join).filter((name) => !sources.has(name));
    if (missing.every((name) => outside(name) && joins(name))) run.lost.push(join);
  }
  const endings = [...ended].map(([name, event]) => `${name}.${event}`).sort();
  return { started: all.sort(), endings, ...run };
}

function isMet(wanted: string, event: string | undefined): boolean {
  if (wanted === "!") return event !== undefined;
  return wanted === "*" ? event !== undefined && event !== "failed" : event === wanted;
}

/** Ends that depend on the step and on its round, not on what ran before. */
export function atRandom({ graph }: Workflow, seed: number): Choices {
  return (name, round) => {
    const step = graph.steps.get(name)!;
    const events = [...step.moves.keys()];
    const pick = numbers(seed ^ Math.imul(step.index * 31 + round, 2_654_435_761));
    pick(2);
    return events[pick(events.length)]!;
  };
}

/** Every way in which the steps of a workflow without loops can end. */
export function* everyChoice({ graph }: Workflow): Generator<Choices> {
  const steps = [...graph.steps.values()].map(({ name, moves }) => ({
    name,
    events: [...moves.keys()],
  }));
  const total = steps.reduce((product, { events }) => product * events.length, 1);
  for (let number = 0; number < total; number++) {
    let rest = number;
    const chosen = new Map(steps.map(({ name, events }) => {
      const event = events[rest % events.length]!;
      rest = Math.floor(rest / events.length);
      return [name, event];
    }));
    yield (step) => chosen.get(step)!;
  }
}

/** The steps that a run may withdraw: whether they run depends on what is faster. */
export function droppable({ graph }: Workflow): ReadonlySet<string> {
  const heads = [...graph.steps.values()].flatMap(({ drops }) => [...drops.values()].flat());
  return new Set(heads.flatMap((head) => [...graph.branch(head)]));
}

/** Whether what runs outside of droppable branches depends on nothing but how steps end. */
export function isFair(workflow: Workflow): boolean {
  const maybe = droppable(workflow);
  return [...workflow.graph.steps.values()].every(({ name, drops, loops }) =>
    !maybe.has(name) || (drops.size === 0 && [...loops.values()].every(({ ends }) => !ends))
  );
}
