import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { Workflow } from "../../../mod.ts";
import { move, type MovingInstance } from "../../../src/core/deploy/move.ts";
import type { AppliedResult } from "../../../src/core/deploy/replay.ts";
import { storedGraph } from "../../../src/core/deploy/stored_graph.ts";
import { type Activation, activationKey } from "../../../src/core/engine/activation.ts";
import { decodeControl, encodeControl } from "../../../src/core/engine/control.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { Control } from "../../../src/core/engine/instance.ts";
import { DROPPED, type Progress } from "../../../src/core/engine/progress.ts";
import { encodeGraph } from "../../../src/core/graph/fingerprint.ts";
import type { Graph } from "../../../src/core/graph/graph.ts";
import { ending, run } from "../engine/runs.ts";
import { atRandom, type Choices, droppable, isFair } from "../graph/proof/executor.ts";
import {
  numbers,
  type Pick,
  randomDrops,
  randomLoops,
  randomWorkflow,
} from "../graph/proof/random_graphs.ts";
import { edited } from "./edits.ts";
import { runs } from "../property_runs.ts";

const workflows = fc.oneof(randomWorkflow(), randomLoops(), randomDrops());

/** An instance that has taken some turns. */
interface Halfway {
  readonly control: Control;
  readonly history: readonly AppliedResult[];
}

function decider(choices: Choices) {
  return ({ step, activation }: Activation) => {
    const metadata = { [step.length % 2 ? "a" : "b"]: `${step} ${activation}` };
    return { event: choices(step, activation), output: undefined, metadata };
  };
}

function historyOf({ applied, withdrawn }: Progress, revision: number): readonly AppliedResult[] {
  return [
    ...applied.map(({ ending, causes }) => ({ ...ending, causes, revision })),
    ...withdrawn.map(({ step, activation, cause }) => ({
      ...ending(step, activation, DROPPED),
      causes: [cause],
      revision,
    })),
  ];
}

/** Takes up to `turns` turns, and stops before the instance ends. */
function halfway(graph: Graph, choices: Choices, pick: Pick, turns: number): Halfway | undefined {
  let progress = open(graph, decider(choices));
  if (progress.control.active.size === 0) return undefined;
  let history = historyOf(progress, 1);
  for (let revision = 2; revision <= turns + 1; revision++) {
    const { control } = progress;
    const active = [...control.active].map(([step, { activation }]) => ({ step, activation }));
    const some = active.filter(() => pick(2) === 0);
    const ends = (some.length > 0 ? some : active.slice(0, 1)).map(({ step, activation }) => ({
      ...ending(step, activation, choices(step, activation)),
      metadata: pick(3) === 0 ? { [pick(2) ? "a" : "b"]: `${step} ${activation}` } : undefined,
    }));
    progress = advance(graph, control, ends, decider(choices));
    if (progress.control.active.size === 0) return { control, history };
    history = [...history, ...historyOf(progress, revision)];
  }
  return { control: decodeControl(encodeControl(progress.control)), history };
}

function moving(of: Halfway): MovingInstance {
  return { ...of, unread: [], scheduled: [] };
}

/** Ends everything that is still to come, and returns what has ended in all. */
function finish(graph: Graph, { control, history }: Halfway, choices: Choices, pick: Pick) {
  const ended = new Map(
    history.filter(({ event }) => event !== DROPPED).map((one) => [activationKey(one), one.event]),
  );
  for (let turns = 0, now = control;; turns++) {
    assert(turns < 1_000, "it does not end");
    const active = [...now.active].map(([step, { activation }]) => ({ step, activation }));
    const one = active[pick(active.length)]!;
    const ends = [ending(one.step, one.activation, choices(one.step, one.activation))];
    const progress = advance(graph, now, ends, decider(choices));
    for (const { ending } of progress.applied) {
      const key = activationKey(ending);
      assert(!ended.has(key), `${key} has ended twice`);
      ended.set(key, ending.event);
    }
    now = progress.control;
    if (now.active.size === 0) return { ended, status: progress.status };
  }
}

function certain(
  { graph }: Workflow,
  maybe: ReadonlySet<string>,
  ended: Iterable<[string, string]>,
) {
  return [...ended].filter(([key]) => !maybe.has(key.split("#")[0]!) && graph.steps.size > 0)
    .sort();
}

describe("an instance that is moved to another graph", () => {
  it("is where it was if the graph is the same", () => {
    const property = fc.property(workflows, fc.nat(), fc.nat(9), (workflow, seed, turns) => {
      const pick = numbers(seed);
      const of = halfway(workflow.graph, atRandom(workflow, seed), pick, turns);
      if (of === undefined) return;
      const stored = storedGraph(encodeGraph(workflow.graph));
      assertEquals(encodeGraph(stored), encodeGraph(workflow.graph));

      const { control, reason } = move(stored, workflow.graph, moving(of), "version 2") as {
        control?: Control;
        reason?: string;
      };

      assertEquals(reason, undefined);
      const state = (of: Control) => JSON.parse(encodeControl(of));
      assertEquals(state(control!).active, state(of.control).active);
    });
    fc.assert(property, { numRuns: runs(200), includeErrorInReport: true });
  });

  it("ends as one that was started with the graph, and is refused with the step otherwise", () => {
    const count = { moved: 0, refused: 0 };
    const property = fc.property(workflows, fc.nat(), fc.nat(9), (workflow, seed, turns) => {
      const pick = numbers(seed);
      const choices = atRandom(workflow, seed);
      const of = halfway(workflow.graph, choices, pick, turns);
      if (of === undefined) return;
      for (let tries = 0; tries < 8; tries++) {
        const after = edited(workflow, pick);
        if (after === undefined || encodeGraph(after.graph) === encodeGraph(workflow.graph)) {
          continue;
        }
        const moved = move(workflow.graph, after.graph, moving(of), "version 2");
        if (moved.reason !== undefined) {
          count.refused++;
          assertMatch(moved.reason, /"|metadata/);
          continue;
        }
        count.moved++;
        const known = new Map(of.history.map((one) => [activationKey(one), one.event]));
        const later = atRandom(after, seed + 1);
        const all: Choices = (step, activation) =>
          known.get(activationKey({ step, activation })) ?? later(step, activation);
        const { ended, status } = finish(after.graph, { ...of, ...moved }, all, pick);
        const started = run(after, all, pick);
        if (!isFair(after) || [...known.values()].includes(DROPPED)) continue;
        assertEquals(status, started.progress.status);
        if (status === "failed") continue;
        const maybe = droppable(after);
        assertEquals(certain(after, maybe, ended), certain(after, maybe, started.applied));
      }
    });
    fc.assert(property, { numRuns: runs(200), includeErrorInReport: true });
    assert(count.moved > 15 && count.refused > 15, JSON.stringify(count));
  });
});
