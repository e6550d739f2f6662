import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { choice, done, drop, step, type, workflow } from "../../../mod.ts";
import { type Activation, activationKey } from "../../../src/core/engine/activation.ts";
import {
  awaitedActivation,
  decodeControl,
  encodeControl,
  isActive,
} from "../../../src/core/engine/control.ts";
import { fold, type FoldedEntry } from "../../../src/core/engine/by_hand/fold.ts";
import { restart } from "../../../src/core/engine/by_hand/restart.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import {
  byHand,
  type Decide,
  DROPPED,
  FAILED,
  LATER,
  type Progress,
  RETRIED,
  type StepEnding,
} from "../../../src/core/engine/progress.ts";
import type { Control } from "../../../src/core/engine/instance.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { atRandom } from "../graph/proof/executor.ts";
import {
  numbers,
  type Pick,
  randomDrops,
  randomLoops,
  randomWorkflow,
} from "../graph/proof/random_graphs.ts";
import { runs } from "../property_runs.ts";

/** The order of a turn's rows in a history says nothing of the order in which they were applied. */
function shuffled<T>(all: readonly T[], pick: Pick): T[] {
  const left = [...all];
  return all.map(() => left.splice(pick(left.length), 1)[0]!);
}

/** The state without kept deliveries, whose rows have not been applied. */
function shown(control: Control): string {
  const sorted = <T>(of: Iterable<T>) => [...of].sort();
  return encodeControl({
    ...control,
    early: new Set(),
    active: new Map(sorted(control.active)),
    activations: new Map(sorted(control.activations)),
    rounds: new Map(sorted(control.rounds)),
    arrived: new Map(sorted(control.arrived)),
    begun: new Set(sorted(control.begun)),
    dropped: new Set(sorted(control.dropped)),
    later: new Set(sorted(control.later)),
    metadata: new Map(sorted(control.metadata)),
    past: new Map(sorted(control.past).map(([step, past]) => [step, sorted(past)])),
  });
}

/** An instance with its history, run at random. */
class Told {
  readonly history: FoldedEntry[] = [];
  readonly #workflow: Workflow;
  readonly #pick: Pick;
  #revision = 0;
  #unread: readonly StepEnding[] = [];
  #choices;
  /** The choice that throws. */
  #broken = "";
  retries = 0;

  constructor(workflow: Workflow, pick: Pick) {
    this.#workflow = workflow;
    this.#pick = pick;
    this.#choices = atRandom(workflow, pick(2 ** 30));
  }

  readonly #decide: Decide = ({ step, activation }) => {
    if (step === this.#broken) throw new Error("The choice is broken");
    return { event: this.#choices(step, activation), output: undefined, metadata: undefined };
  };

  open(): Progress {
    return this.#write(open(this.#workflow.graph, this.#decide), []);
  }

  /** Ends some active steps, of which one may fail, and delivers to waits that have not begun. */
  advance(control: Control): Progress {
    const { graph } = this.#workflow;
    const pick = this.#pick;
    const active = [...control.active].map(([step, { activation }]) => ({ step, activation }));
    const some = active.filter(() => pick(2) === 0);
    const ends = (some.length > 0 ? some : active).map((one) => this.#ending(one, control));
    const [victim] = pick(6) > 0
      ? []
      : ends.filter(({ step, event }) => this.#kind(step) === "step" && event !== LATER);
    const choices = [...graph.steps.keys()].filter((step) => this.#kind(step) === "choice");
    this.#broken = pick(4) === 0 ? choices[pick(choices.length)] ?? "" : "";
    const early = [...graph.steps.values()].filter(({ name, kind }) =>
      kind === "signal" && pick(4) === 0 && !control.active.has(name)
    ).map(({ name }) => ({ step: name, activation: awaitedActivation(graph, control, name) }))
      .filter((one) => this.#isFree(one)).map((one) => this.#ending(one, control));
    const given = [...this.#unread, ...early].filter((one) => !isActive(control, one));
    const waiting = this.#unread.filter((one) =>
      isActive(control, one) && !ends.some(({ step }) => step === one.step)
    );
    const all = [...ends.map((one) => one === victim ? failed(one) : one), ...given, ...waiting];
    const progress = advance(graph, control, all, this.#decide);
    return this.#write(progress, all);
  }

  /** What the control must be after a turn that has failed: the turn without what failed in it. */
  without(control: Control, { applied }: Progress): Control {
    const endings = applied.map(({ ending }) => ending)
      .filter(({ step, event }) => this.#kind(step) !== "choice" && event !== FAILED);
    const broken = this.#broken;
    this.#broken = "";
    let over = false;
    const decide: Decide = (choice, ended) => {
      over ||= choice.step === broken;
      return over ? undefined : this.#decide(choice, ended);
    };
    return advance(this.#workflow.graph, control, endings, decide).control;
  }

  retry(control: Control): Progress {
    const pick = this.#pick;
    const restarted = [...control.active].flatMap(([step, { activation }]) => {
      if (this.#kind(step) === "choice") return [{ step, activation }];
      const ran = this.history.filter((one) => one.step === step).map((one) => one.activation);
      const isFree = this.history.every((one) => one.step !== step || one.event !== FAILED);
      if (control.later.has(step) || (isFree && pick(3) === 0)) return [];
      return [{ step, activation: Math.max(activation, ...ran) + 1 + pick(2) }];
    });
    this.#choices = atRandom(this.#workflow, pick(2 ** 30));
    const progress = restart(this.#workflow.graph, control, restarted, this.#decide);
    const output = { restarted: restarted.map(activationKey) };
    const act = { step: byHand, activation: ++this.retries, event: RETRIED, output };
    return this.#write(progress, [], act);
  }

  #kind(step: string) {
    return this.#workflow.graph.steps.get(step)?.kind;
  }

  #isFree(one: Activation): boolean {
    const key = activationKey(one);
    return ![...this.history, ...this.#unread].some((other) => activationKey(other) === key);
  }

  #ending(one: Activation, control: Control): StepEnding {
    const pick = this.#pick;
    const isAsynchronous = this.#workflow.graph.steps.get(one.step)!.asynchronous;
    const waits = this.#kind(one.step) === "step" && isAsynchronous &&
      !control.later.has(one.step) && pick(2) === 0;
    const metadata = pick(3) === 0 ? { [one.step]: one.activation } : undefined;
    return {
      ...one,
      event: waits ? LATER : this.#choices(one.step, one.activation),
      output: undefined,
      metadata: waits ? undefined : metadata,
    };
  }

  #write(
    progress: Progress,
    given: readonly StepEnding[],
    act?: Omit<FoldedEntry, "metadata" | "revision">,
  ) {
    const nothing = { output: undefined, metadata: undefined, revision: ++this.#revision };
    const rows = [
      ...(act === undefined ? [] : [{ ...nothing, ...act }]),
      ...progress.applied.map(({ ending }) => ({ ...nothing, ...ending })),
      ...progress.withdrawn.map((one) => ({ ...nothing, ...one, event: DROPPED })),
    ];
    this.history.push(...shuffled(rows, this.#pick));
    const kept = new Set(progress.kept.map(activationKey));
    this.#unread = [...this.#unread, ...given].filter((one) => kept.has(activationKey(one)));
    return progress;
  }
}

function failed(ending: StepEnding): StepEnding {
  return { ...ending, event: FAILED, metadata: undefined };
}

const seen = { folds: 0, retries: 0, usedUp: 0, loops: 0, drops: 0, early: 0 };

function tell(workflow: Workflow, seed: number): void {
  const told = new Told(workflow, numbers(seed));
  let progress = told.open();
  for (let turns = 0; turns < 2_000; turns++) {
    const control = decodeControl(encodeControl(progress.control));
    if (control.active.size === 0) return;
    // The fold reads all that came before, so it is not compared after every turn.
    if (turns % 3 === seed % 3) {
      const folded = fold(workflow.graph, told.history).progress;
      assertEquals([folded.failed, shown(folded.control)], [undefined, shown(control)]);
      seen.folds++;
    }
    if (control.rounds.size > 0) seen.loops++;
    if (control.dropped.size > 0) seen.drops++;
    if (control.early.size > 0) seen.early++;
    progress = told.advance(control);
    if (progress.failed === undefined) continue;
    const again = fold(workflow.graph, told.history).progress;
    if (again.failed !== undefined) {
      assertEquals(again.failed.step, progress.failed.step);
      seen.usedUp++;
      return;
    }
    assertEquals(shown(again.control), shown(told.without(control, progress)));
    progress = told.retry(again.control);
    seen.retries++;
    // What has failed at once is not written.
    if (progress.failed !== undefined) return;
  }
  throw new Error("The run does not end");
}

describe("the fold of a history", () => {
  it("is the state of the instance after each turn, and what it was when it failed", () => {
    const all = fc.oneof(randomWorkflow(), randomLoops(), randomDrops());
    const property = fc.property(all, fc.nat(), tell);
    fc.assert(property, { numRuns: runs(300), includeErrorInReport: true });
    assertEquals(Object.entries(seen).filter(([, times]) => times < 5), []);
  });

  it("lets a choice decide in the turn in which it did, and not when it threw", () => {
    const go = { go: type() };
    const pick = choice("pick", { events: go, decide: ({ emit }) => emit.go() });
    const work = step("work", { events: go, run: ({ emit }) => emit.go() });
    const [a, b, c] = [work.as("a"), work.as("b"), work.as("c")];
    const { graph } = workflow("picking", { key: "id", input: type(), start: a })
      .on(a, { go: [pick, b] })
      .on(pick, { go: [c, drop(b)] })
      .on(b, { go: done })
      .on(c, { go: done })
      .build();
    const row = (step: string, activation: number, event: string, revision: number) => ({
      ...{ step, activation, event, revision, metadata: undefined },
      output: step === byHand ? { restarted: ["pick", "b#2"] } : undefined,
    });

    const { progress: { control } } = fold(graph, [
      row("a", 1, "go", 2),
      row(byHand, 1, RETRIED, 3),
      row("pick", 1, "go", 3),
      row("b", 2, DROPPED, 3),
    ]);

    assertEquals(
      encodeControl(control),
      '{"active":{"c":"pick"},"activations":{"b":2},"restarted":{"b":1},"dropped":["b"]}',
    );
  });
});
