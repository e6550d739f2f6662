import { assert, assertEquals } from "@std/assert";
import { type Activation, activationKey } from "../../../src/core/engine/activation.ts";
import { decodeControl, encodeControl } from "../../../src/core/engine/control.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import type { PastEnding, Progress, StepEnding } from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import type { Choices } from "../graph/proof/executor.ts";
import type { Pick } from "../graph/proof/random_graphs.ts";

export function ending(step: string, activation: number, event = "ok"): StepEnding {
  return { step, activation, event, output: undefined, metadata: undefined };
}

/** What a run did. */
export interface Ended {
  readonly progress: Progress;
  /** The key of each activation that ended, with its event. */
  readonly applied: ReadonlyMap<string, string>;
  /** The key of each activation that was dropped. */
  readonly withdrawn: ReadonlySet<string>;
  /** Every turn, the first one first. */
  readonly turns: readonly Progress[];
}

/** The results that a turn has applied, as the history has them. */
export function applied(turns: readonly Progress[]): readonly PastEnding[] {
  return turns.flatMap((turn) => turn.applied)
    .map(({ ending: { step, activation, event }, causes }) => ({
      step,
      activation,
      event,
      causes,
    }));
}

/** Runs an instance to its end; ends random steps in each turn. */
export function run({ graph, undoOn }: Workflow, choices: Choices, pick: Pick): Ended {
  const events = new Map<string, string>();
  const withdrawn = new Set<string>();
  const all: Progress[] = [];
  const decide = ({ step, activation }: Activation) => ({
    event: choices(step, activation),
    output: undefined,
    metadata: undefined,
  });
  let progress = open(graph, decide, undoOn);
  for (let turns = 0;; turns++) {
    all.push(progress);
    for (const { ending } of progress.applied) {
      const key = activationKey(ending);
      assert(!events.has(key) && !withdrawn.has(key), `${key} has ended twice`);
      events.set(key, ending.event);
    }
    for (const one of progress.withdrawn) {
      const key = activationKey(one);
      assert(!events.has(key) && !withdrawn.has(key), `${key} has ended before it was dropped`);
      withdrawn.add(key);
    }
    const control = decodeControl(encodeControl(progress.control));
    assertEquals(encodeControl(control), encodeControl(progress.control));
    if (control.active.size === 0) return { progress, applied: events, withdrawn, turns: all };
    assert(turns < 10_000, "the run does not end");
    const active = [...control.active].map(([step, { activation }]) => ({ step, activation }));
    const some = active.filter(() => pick(2) === 0);
    const ends = (some.length > 0 ? some : active).map(({ step, activation }) =>
      ending(step, activation, choices(step, activation))
    );
    progress = advance(graph, control, ends, decide, () => applied(all));
  }
}
