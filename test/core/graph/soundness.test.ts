import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { randomWorkflow } from "./random_graphs.ts";

type Choices = ReadonlyMap<string, string>;

/** What a run did, by an executor that knows nothing of the engine. */
interface Run {
  readonly started: readonly string[];
  /** Arrivals that would have started a step a second time. */
  readonly twice: readonly string[];
  /** Steps that started without something they need. */
  readonly unmet: readonly string[];
}

function execute(workflow: Workflow, choices: Choices, next: (active: number) => number): Run {
  const { graph, steps } = workflow;
  const ended = new Map<string, string>();
  const arrived = new Map<string, Set<string>>();
  const started = new Set<string>();
  const active: string[] = [];
  const run = { twice: [] as string[], unmet: [] as string[] };

  const start = (name: string): void => {
    if (started.has(name)) {
      run.twice.push(name);
      return;
    }
    started.add(name);
    active.push(name);
    for (const need of steps.get(name)!.needs) {
      const event = ended.get(need.name);
      if (!isMet(need.event, event)) run.unmet.push(`${name} needs ${need.name}.${need.event}`);
    }
  };

  start(graph.start);
  while (active.length > 0) {
    const [name] = active.splice(next(active.length), 1);
    const event = choices.get(name!)!;
    ended.set(name!, event);
    for (const { to, mode } of graph.steps.get(name!)!.moves.get(event)!) {
      if (mode === "first" && started.has(to)) continue;
      if (mode !== "join") start(to);
      else {
        const sources = (arrived.get(to) ?? new Set()).add(name!);
        arrived.set(to, sources);
        if (sources.size === graph.sources(to).length) start(to);
      }
    }
  }
  return { started: [...started].sort(), ...run };
}

function isMet(wanted: string, event: string | undefined): boolean {
  if (wanted === "!") return event !== undefined;
  return wanted === "*" ? event !== undefined && event !== "failed" : event === wanted;
}

/** A small generator of numbers, so that one seed stands for a whole run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function choose(workflow: Workflow, pick: (below: number) => number): Choices {
  const choices = new Map<string, string>();
  for (const step of workflow.graph.steps.values()) {
    const events = [...step.moves.keys()];
    choices.set(step.name, events[pick(events.length)]!);
  }
  return choices;
}

/** Every way in which the steps of a workflow can end. */
function* everyChoice(workflow: Workflow): Generator<Choices> {
  const steps = [...workflow.graph.steps.values()].map(({ name, moves }) => ({
    name,
    events: [...moves.keys()],
  }));
  const total = steps.reduce((product, { events }) => product * events.length, 1);
  for (let number = 0; number < total; number++) {
    let rest = number;
    yield new Map(steps.map(({ name, events }) => {
      const event = events[rest % events.length]!;
      rest = Math.floor(rest / events.length);
      return [name, event];
    }));
  }
}

describe("a workflow that the definition accepts", () => {
  it("starts no step twice, none too early, and does not depend on the order", () => {
    fc.assert(
      fc.property(randomWorkflow(), fc.nat(), (workflow, seed) => {
        const pick = numbers(seed);
        for (let round = 0; round < 12; round++) {
          const choices = choose(workflow, pick);

          const one = execute(workflow, choices, pick);
          const other = execute(workflow, choices, pick);

          assertEquals(one.twice, []);
          assertEquals(one.unmet, []);
          assertEquals(other, one);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("can start every step in some run, a join too", () => {
    fc.assert(
      fc.property(randomWorkflow(8), (workflow) => {
        const never = new Set(workflow.graph.steps.keys());
        for (const choices of everyChoice(workflow)) {
          for (const name of execute(workflow, choices, () => 0).started) never.delete(name);
          if (never.size === 0) return;
        }
        assert(false, `${[...never]} cannot start`);
      }),
      { numRuns: 500 },
    );
  });
});
