import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  again,
  choice,
  done,
  drop,
  each,
  step,
  type,
  type Workflow,
  workflow,
} from "../../../mod.ts";
import { itemAt } from "../../../src/core/each/items.ts";
import { type Activation, activationKey } from "../../../src/core/engine/activation.ts";
import { decodeControl, encodeControl } from "../../../src/core/engine/control.ts";
import { fold, type FoldedEntry } from "../../../src/core/engine/by_hand/fold.ts";
import { restart } from "../../../src/core/engine/by_hand/restart.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import {
  byHand,
  type Decide,
  DROPPED,
  FAILED,
  ITEMS,
  type Progress,
  RETRIED,
  type StepEnding,
} from "../../../src/core/engine/progress.ts";

const ok = { ok: type() };
const work = step("work", { events: ok, run: ({ emit }) => emit.ok() });
const nothing = { output: undefined, metadata: undefined };

interface Shape {
  readonly total: number;
  readonly limit: number;
  readonly failures: number;
  readonly hasRoad: boolean;
  readonly rounds: number;
}

function built({ limit, failures, hasRoad, rounds }: Shape): Workflow {
  const list = each("list", {
    over: () => [],
    limit,
    onFailure: { threshold: failures },
    events: ok,
    run: ({ emit }) => emit.ok(),
  });
  const [before, behind, other] = [work.as("before"), work.as("behind"), work.as("other")];
  const rows = workflow("lists", { key: "id", input: type(), start: before })
    .on(before, { ok: list });
  const moves = { finished: again(before, { limit: rounds, then: behind }) };
  return hasRoad
    ? rows.on(list, { ...moves, failed: other }).on(behind, { ok: done }).on(other, { ok: done })
      .build()
    : rows.on(list, moves).on(behind, { ok: done }).build();
}

const shapes = fc.record({
  total: fc.integer({ min: 0, max: 12 }),
  limit: fc.integer({ min: 1, max: 5 }),
  failures: fc.integer({ min: 0, max: 3 }),
  hasRoad: fc.boolean(),
  rounds: fc.integer({ min: 1, max: 3 }),
});

/** An instance whose items end in any order, with what its history says. */
class Run {
  readonly history: FoldedEntry[] = [];
  readonly running: Activation[] = [];
  readonly workflow: Workflow;
  readonly #total: number;
  #revision = 0;
  failing: Progress["failed"];

  constructor(shape: Shape) {
    this.workflow = built(shape);
    this.#total = shape.total;
  }

  readonly decide: Decide = (_, __, end) =>
    end === undefined
      ? { ...nothing, event: ITEMS, output: this.#total }
      : { ...nothing, event: end.event, output: { ...end.counts } };

  write(progress: Progress, act?: Pick<FoldedEntry, "output">): Progress {
    const rest = { metadata: undefined, revision: ++this.#revision };
    if (act !== undefined) {
      this.history.push({ ...rest, ...act, step: byHand, activation: 1, event: RETRIED });
    }
    for (const one of progress.listed) {
      this.history.push({ ...rest, ...one, event: ITEMS, output: one.total });
    }
    for (const { ending } of progress.applied) this.history.push({ ...rest, ...ending });
    for (const one of progress.withdrawn) {
      this.history.push({ ...rest, ...one, event: DROPPED, output: undefined });
    }
    this.running.push(...progress.started);
    if (progress.failed !== undefined) this.running.length = 0;
    return progress;
  }

  /** Ends some of what runs. */
  advance(before: Progress, ends: readonly StepEnding[]): Progress {
    for (const { step, activation } of ends) {
      const at = this.running.findIndex((one) =>
        one.step === step && one.activation === activation
      );
      this.running.splice(at, 1);
    }
    const control = decodeControl(encodeControl(before.control));
    return this.write(advance(this.workflow.graph, control, ends, this.decide));
  }
}

describe("the engine, with steps over lists", () => {
  it("runs each item once, no more at once than the limit, and ends as the policy says", () => {
    const seen = { retried: 0, stopped: 0, finished: 0, again: 0 };
    const property = fc.property(shapes, fc.infiniteStream(fc.nat(9)), (shape, stream) => {
      const pick = (below: number) => (stream.next().value as number) % below;
      const run = new Run(shape);
      const succeeded = new Map<string, number>();
      let progress = run.write(open(run.workflow.graph, run.decide));
      let failed = 0;
      for (let turns = 0; progress.status === "running"; turns++) {
        assert(turns < 1_000, "the run does not end");
        const items = run.running.filter(({ step }) => step === "list[]");
        assert(items.length <= shape.limit, `${items.length} items at once`);
        const some = run.running.filter(() => pick(2) === 0);
        const ends = (some.length > 0 ? some : [...run.running]).map((one): StepEnding => {
          const fails = one.step === "list[]" && pick(4) === 0;
          if (fails) failed++;
          if (one.step === "list[]") {
            const key = activationKey(one);
            assertEquals(succeeded.get(key), undefined, `${key} has run twice`);
            succeeded.set(key, 1);
          }
          return { ...nothing, ...one, event: fails ? "failed" : "ok" };
        });
        const { activation } = progress.control.active.get("list") ?? { activation: 0 };
        progress = run.advance(progress, ends);
        const end = progress.applied.find(({ ending }) => ending.step === "list");
        const counts = end?.ending.output as { total: number; ended: number; failed: number };
        if (end !== undefined) {
          const { event } = end.ending;
          assertEquals(event !== "finished", counts.failed > shape.failures);
          assertEquals(event === FAILED, event !== "finished" && !shape.hasRoad);
          if (event === "finished") assertEquals(counts.ended, counts.total);
          seen[event === "finished" ? "finished" : "stopped"]++;
          if (activation > 1) seen.again++;
        }
        const folded = fold(run.workflow.graph, run.history).progress;
        if (progress.failed === undefined) {
          assertEquals(encodeControl(folded.control), encodeControl(progress.control));
          continue;
        }
        // What is left runs again, under numbers of its own.
        const one = folded.control.active.get("list")!;
        const { total, ended, failed: lost } = folded.control.each.get("list")!;
        const retried = [{ step: "list", activation: one.activation + 1 }];
        const output = { restarted: retried.map(activationKey) };
        progress = run.write(
          restart(run.workflow.graph, folded.control, retried, run.decide),
          { output },
        );
        assertEquals(progress.control.each.get("list")?.total, total - (ended - lost));
        assertEquals(progress.started[0], itemAt(retried[0]!, 0));
        const again = fold(run.workflow.graph, run.history).progress;
        assertEquals(encodeControl(again.control), encodeControl(progress.control));
        seen.retried++;
      }
      assertEquals(progress.status, "completed");
    });
    fc.assert(property, { numRuns: 60, includeErrorInReport: true });
    assertEquals(Object.entries(seen).filter(([, times]) => times < 5), []);
  });

  it("keeps four numbers of a list, and nothing where there is none", () => {
    const run = new Run({ total: 1_000_000, limit: 10, failures: 2, hasRoad: true, rounds: 1 });
    let progress = run.write(open(run.workflow.graph, run.decide));
    assertEquals(encodeControl(progress.control), '{"active":{"before":""}}');
    progress = run.advance(progress, [{ ...nothing, step: "before", activation: 1, event: "ok" }]);
    const three = [4, 1, 2].map((activation) => ({
      ...{ ...nothing, step: "list[]", activation },
      event: activation === 2 ? "failed" : "ok",
    }));
    progress = run.advance(progress, three);
    assertEquals(
      encodeControl(progress.control),
      '{"active":{"list":"before"},"each":{"list":[1000000,13,3,1]}}',
    );
    assertEquals(progress.started.map(({ activation }) => activation), [11, 12, 13]);
  });

  it("counts an item once in a turn, and none that has not begun or is of an earlier round", () => {
    const run = new Run({ total: 5, limit: 2, failures: 2, hasRoad: true, rounds: 2 });
    let progress = run.write(open(run.workflow.graph, run.decide));
    progress = run.advance(progress, [{ ...nothing, step: "before", activation: 1, event: "ok" }]);
    const ends = [1, 1, 4].map((activation) => ({
      ...nothing,
      step: "list[]",
      activation,
      event: "ok",
    }));
    progress = advance(run.workflow.graph, progress.control, ends, run.decide);
    assertEquals(progress.control.each.get("list"), { total: 5, begun: 3, ended: 1, failed: 0 });
    assertEquals(progress.ignored.map(({ activation }) => activation), [4, 1]);
    const late = { ...nothing, ...itemAt({ step: "list", activation: 2 }, 0), event: "ok" };
    const next = advance(run.workflow.graph, progress.control, [late], run.decide);
    assertEquals([next.applied.length, next.ignored.length], [0, 1]);
  });

  it("begins after the choices beside it have decided, so that one of them can drop it", () => {
    const list = each("list", { over: () => [], events: ok, run: ({ emit }) => emit.ok() });
    const pick = choice("pick", { events: ok, decide: ({ emit }) => emit.ok() });
    for (const together of [[list, pick], [pick, list]] as const) {
      const { graph } = workflow("beside", { key: "id", input: type(), start: work })
        .on(work, { ok: together })
        .on(list, { finished: done })
        .on(pick, { ok: [done, drop(list)] })
        .build();
      const decide: Decide = ({ step }) =>
        step === "pick" ? { ...nothing, event: "ok" } : { ...nothing, event: ITEMS, output: 3 };
      const end = { ...nothing, step: "work", activation: 1, event: "ok" };
      const progress = advance(graph, open(graph, decide).control, [end], decide);
      assertEquals(progress.withdrawn.map(({ step }) => step), ["list"]);
      assertEquals([progress.started, progress.listed, progress.status], [[], [], "completed"]);
    }
  });
});
