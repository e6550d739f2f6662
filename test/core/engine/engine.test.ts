import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { advance, open } from "../../../src/core/engine/engine.ts";
import {
  causesOf,
  decodeControl,
  emptyControl,
  encodeControl,
} from "../../../src/core/engine/control.ts";
import { row } from "../../../src/core/graph/graph.ts";
import type { Control } from "../../../src/core/engine/instance.ts";
import { mergeMetadata, metadataSeenBy, withStart } from "../../../src/core/engine/metadata.ts";
import {
  type Decide,
  LATER,
  type Progress,
  type StepEnding,
} from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { workflow } from "../../../src/core/graph/builder.ts";
import { choice } from "../../../src/core/define/choice.ts";
import { step } from "../../../src/core/define/step.ts";
import { done, join } from "../../../src/core/define/target.ts";
import { type } from "../../../src/core/value/type.ts";
import { numbers, type Pick, randomWorkflow } from "../graph/proof/random_graphs.ts";
import { causalPast, type Expected, expected } from "./reference_engine.ts";
import { runs } from "../property_runs.ts";

/** How the steps of a run will end, chosen before it begins. `undefined`: a choice that throws. */
type Fate = ReadonlyMap<string, string | undefined>;

/** In one run of `troubled` something goes wrong: a choice throws, or a step emits what leads nowhere. */
function fates({ graph }: Workflow, pick: Pick, troubled: boolean): Fate {
  const trouble = troubled ? pick(graph.steps.size) : -1;
  return new Map([...graph.steps.values()].map(({ name, moves, kind, index }) => {
    const events = [...moves.keys()];
    if (index === trouble) return [name, kind === "choice" ? undefined : "nowhere"];
    return [name, events[pick(events.length)]];
  }));
}

function ending(step: string, event: string): StepEnding {
  const metadata = { [step]: true, last: step };
  return { step, activation: 1, event, output: { of: step }, metadata };
}

const laterOf = (step: string): StepEnding => ({
  step,
  activation: 1,
  event: LATER,
  output: undefined,
  metadata: undefined,
});

const sorted = (names: Iterable<string>): readonly string[] => [...names].sort();

/** One instance that the engine and the reference run side by side. */
class Run {
  readonly #workflow: Workflow;
  readonly #fate: Fate;
  readonly #applied = new Set<string>();
  readonly #started = new Set<string>();
  readonly #later = new Set<string>();
  readonly #causes = new Map<string, readonly string[]>();
  #kept = new Map<string, StepEnding>();
  #before: Expected;
  #control: Control = emptyControl;
  #status: Progress["status"] = "pending";
  #wake = false;

  constructor(workflow: Workflow, fate: Fate) {
    this.#workflow = workflow;
    this.#fate = fate;
    this.#before = { applied: new Set(), active: new Set(), failing: new Set(), status: "pending" };
    this.#compare(open(workflow.graph, this.#decide), []);
  }

  get isOver(): boolean {
    return this.#status === "completed" || this.#status === "failed";
  }

  /** Everything but what depends on how the endings were put into turns. */
  get result(): unknown {
    const metadata = mergeMetadata(this.#workflow.graph, this.#control);
    return { status: this.#status, applied: sorted(this.#applied), metadata };
  }

  /** Takes a turn with some of what can end now, sometimes with what comes too early. */
  step(pick: Pick): void {
    const { graph } = this.#workflow;
    const endings: StepEnding[] = [];
    for (const { name, kind, asynchronous } of graph.steps.values()) {
      const open = kind === "signal" || asynchronous;
      const active = this.#control.active.has(name);
      if (asynchronous && active && !this.#later.has(name) && pick(2) === 0) {
        endings.push(laterOf(name));
        this.#later.add(name);
      }
      const known = this.#applied.has(name) || this.#kept.has(name) || kind === "choice";
      if (!known && pick(3) === 0 && (active || (open && pick(2) === 0))) {
        endings.push(ending(name, this.#fate.get(name)!));
      }
    }
    if (pick(20) === 0) endings.push(ending("stranger", "e0"));
    const whole = this.#wake || pick(2) === 0 ||
      endings.some(({ step }) => !this.#control.active.has(step));
    const kept = whole ? [...this.#kept.values()] : [];
    const all = [...endings, ...kept].sort(() => pick(3) - 1);
    this.#compare(advance(graph, this.#control, all, this.#decide), all);
  }

  readonly #decide: Decide = ({ step }) => {
    const event = this.#fate.get(step);
    if (event === undefined) throw new RangeError(`No way to go at ${step}`);
    return { event, output: undefined, metadata: { last: step } };
  };

  #compare(progress: Progress, endings: readonly StepEnding[]): void {
    const { graph } = this.#workflow;
    const delivered = endings.filter(({ event, step }) => event !== LATER && graph.steps.has(step));
    const now = expected(graph, {
      ended: new Map([
        ...[...this.#applied].map((step) => [step, this.#fate.get(step)!] as const),
        ...delivered.map(({ step, event }) => [step, event] as const),
      ]),
      later: this.#later,
      decided: this.#fate,
    });
    const before = this.#before;
    const known = new Map([...this.#kept, ...delivered.map((one) => [one.step, one] as const)]);
    const applied = progress.applied.filter(({ ending }) => ending.event !== LATER);

    assertEquals(progress.status, now.status);
    assertEquals(sorted(progress.control.active.keys()), sorted(now.active));
    for (const { ending, causes } of applied) {
      this.#causes.set(ending.step, causes);
      assert(now.applied.has(ending.step), `${ending.step} is applied and has not ended`);
      assert(!this.#applied.has(ending.step), `${ending.step} is applied twice`);
      this.#applied.add(ending.step);
    }
    for (const { step } of applied.map(({ ending }) => ending)) known.delete(step);
    const started = progress.started.map(({ step }) => step);
    for (const step of started) {
      assert(!this.#started.has(step), `${step} is started twice`);
      this.#started.add(step);
    }
    const running = [...now.active].filter((step) => !before.active.has(step));
    assertEquals(sorted(started), sorted(running));
    const ignored = endings.filter(({ step }) => !graph.steps.has(step)).map(({ step }) => step);

    if (now.failing.size > 0) {
      assert(now.failing.has(progress.failed!.step), `${progress.failed!.step} does not fail`);
    } else {
      assertEquals(sorted(this.#applied), sorted(now.applied));
      assertEquals(progress.failed, undefined);
      assertEquals(
        sorted(progress.resolved.map(({ step }) => step)),
        sorted([...before.active].filter((step) => now.applied.has(step) && isOpen(graph, step))),
      );
    }
    const over = now.status === "completed" || now.status === "failed";
    assertEquals(sorted(progress.control.early), over ? [] : sorted(known.keys()));
    const late = new Set(progress.ignored.map(({ step }) => step));
    assertEquals(sorted(late), sorted(over ? [...ignored, ...known.keys()] : ignored));
    const wake = [...now.active].some((step) => known.has(step) && !before.active.has(step));
    assertEquals(progress.wake, wake && !over);
    this.#kept = over ? new Map() : known;
    this.#wake = progress.wake;
    this.#before = now;
    this.#status = progress.status;
    this.#control = decodeControl(encodeControl(progress.control));
    assertEquals(encodeControl(this.#control), encodeControl(progress.control));
    this.#comparePasts(withStart(this.#control, { last: "" }));
  }

  /** What each active step sees of the metadata is what its causes, and theirs, have added. */
  #comparePasts(control: Control): void {
    const { graph } = this.#workflow;
    const all = mergeMetadata(graph, control);
    for (const step of control.active.keys()) {
      const past = causalPast(causesOf(graph, control, step), this.#causes);
      const added = [...past].sort((a, b) => row(graph, a) - row(graph, b))
        .map((name) => control.metadata.get(name));
      const expected = Object.assign({}, control.metadata.get(""), ...added);
      assertEquals(metadataSeenBy(graph, control, all, step), expected);
    }
  }
}

function isOpen({ steps }: Workflow["graph"], step: string): boolean {
  return steps.get(step)?.kind === "signal" || steps.get(step)?.asynchronous === true;
}

/** Runs to the end. Joins that a run never completes leave nothing active, so that every run ends. */
function finish(workflow: Workflow, fate: Fate, pick: Pick): Run {
  const run = new Run(workflow, fate);
  for (let turns = 0; !run.isOver; turns++) {
    assert(turns < 10_000, "the run does not end");
    run.step(pick);
  }
  return run;
}

describe("the engine", () => {
  it("agrees with a model that computes every state from nothing but the set of endings", () => {
    const property = fc.property(randomWorkflow(), fc.nat(), (workflow, seed) => {
      const pick = numbers(seed);
      for (let round = 0; round < 5; round++) {
        finish(workflow, fates(workflow, pick, round % 3 === 2), pick);
      }
    });
    fc.assert(property, { numRuns: runs(400), includeErrorInReport: true });
  });

  it("comes to the same end in whatever order and in however many turns the endings come", () => {
    const property = fc.property(randomWorkflow(), fc.nat(), (workflow, seed) => {
      const pick = numbers(seed);
      const fate = fates(workflow, pick, false);

      const ends = [1, 2, 3].map(() => finish(workflow, fate, pick).result);

      for (const end of ends) assertEquals(end, ends[0]);
    });
    fc.assert(property, { numRuns: runs(400), includeErrorInReport: true });
  });

  it("merges metadata in the order of the rows, whichever step was first", () => {
    const { graph } = forked();
    const opened = open(graph, undecided).control;
    const first = advance(graph, opened, [ending("fork", "ok")], undecided).control;
    const right = advance(graph, first, [ending("right", "ok")], undecided).control;

    const control = {
      ...right,
      metadata: new Map([...right.metadata, ["left", { last: "left", left: true }]]),
    };
    const metadata = mergeMetadata(graph, withStart(control, { given: 1, last: "given" }));

    assertEquals(metadata, { given: 1, last: "right", fork: true, left: true, right: true });
  });

  it("fails the instance when a choice throws, and the result before it stands", () => {
    const { graph } = forked();
    const opened = open(graph, undecided).control;
    const forkedOut = advance(graph, opened, [ending("fork", "ok")], undecided).control;
    const both = [ending("right", "ok"), ending("left", "ok")];

    const progress = advance(graph, forkedOut, both, undecided);

    assertEquals(progress.status, "failed");
    assertEquals(progress.failed?.step, "settle");
    assertEquals(progress.applied.map(({ ending }) => ending.step), ["left", "right"]);
    assertEquals([progress.started, [...progress.control.active.keys()]], [[], []]);
  });

  it("fails the instance on an event that leads nowhere, and leaves no result unread", () => {
    const { graph } = forked();
    const opened = open(graph, undecided).control;

    const progress = advance(graph, opened, [ending("fork", "nowhere")], undecided);

    assertEquals(progress.status, "failed");
    assertEquals(progress.applied, []);
    assertEquals(progress.ignored.map(({ step }) => step), ["fork"]);
  });

  it("leaves no word unread that a step waits when its wait is over already", () => {
    const { graph } = forked();
    const opened = open(graph, undecided).control;
    const over = advance(graph, opened, [ending("fork", "ok")], undecided).control;

    const progress = advance(graph, over, [laterOf("fork")], undecided);

    assertEquals([progress.applied, progress.kept], [[], []]);
    const ignored = progress.ignored.map((
      { step, activation, waits },
    ) => [step, activation, waits]);
    assertEquals(ignored, [["fork", 1, true]]);
  });
});

const undecided = () => {
  throw new RangeError("No way to go");
};

/** A fork whose arms are joined in a choice. */
function forked(): Workflow {
  const plain = <const Name extends string>(name: Name) =>
    step(name, { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const [fork, left, right] = [plain("fork"), plain("left"), plain("right")];
  const settle = choice("settle", { events: { go: type() }, decide: ({ emit }) => emit.go() });
  return workflow("forked", { key: "id", input: type(), start: fork })
    .on(fork, { ok: [left, right] })
    .on(left, { ok: join(settle) })
    .on(right, { ok: join(settle) })
    .on(settle, { go: done })
    .build();
}
