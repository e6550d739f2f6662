import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { done, join, signal, step, timer, type, undo, workflow } from "../../../mod.ts";
import { activationKey, isUndo, stepOf, undoneStep } from "../../../src/core/engine/activation.ts";
import { cancelUndoing } from "../../../src/core/engine/cancel.ts";
import { advance, open } from "../../../src/core/engine/engine.ts";
import { isFinal } from "../../../src/core/engine/instance.ts";
import { FAILED, type PastEnding, type Progress } from "../../../src/core/engine/progress.ts";
import type { Workflow } from "../../../src/core/graph/workflow.ts";
import { atRandom, type Choices } from "../graph/proof/executor.ts";
import { numbers, type Pick, randomUndos } from "../graph/proof/random_graphs.ts";
import { applied, type Ended, ending, run } from "./runs.ts";
import { runs } from "../property_runs.ts";

const undecided = () => {
  throw new Error("There is no choice");
};

/** Ends that fail now and then, undos among them. */
function failing(workflow: Workflow, seed: number, pick: Pick): Choices {
  const choices = atRandom(workflow, seed);
  return (step, round) => {
    if (isUndo(step)) return pick(12) === 0 ? FAILED : "undone";
    const canFail = workflow.graph.steps.get(step)?.kind === "step";
    return canFail && pick(8) === 0 ? FAILED : choices(step, round);
  };
}

/** What has caused what, found by trying every pair: nothing of the engine is used. */
function causedBy(history: readonly PastEnding[], key: string): ReadonlySet<string> {
  const caused = new Set<string>();
  for (let size = -1; size < caused.size;) {
    size = caused.size;
    for (const one of history) {
      const by = one.causes.some((cause) => cause === key || caused.has(cause));
      if (by && !isUndo(one.step)) caused.add(activationKey(one));
    }
  }
  return caused;
}

function canBe({ graph }: Workflow, { step, event }: Named): boolean {
  const { undoable } = graph.steps.get(step) ?? {};
  return undoable?.has(event === FAILED ? "failed" : event) === true;
}

type Named = { readonly step: string; readonly event: string };

function assertUndone(workflow: Workflow, { turns, progress }: Ended): void {
  const history = applied(turns);
  const begun = turns.findIndex(({ control }) => control.undo !== undefined);
  const forward = history.filter(({ step }) => !isUndo(step));
  const doable = forward.filter((one) => canBe(workflow, one)).map(activationKey);
  const undos = history.filter(({ step }) => isUndo(step))
    .map((one) => ({ ...one, key: activationKey({ ...one, step: undoneStep(one.step) }) }));
  const undone = undos.filter(({ event }) => event !== FAILED).map(({ key }) => key);
  if (begun < 0) return assertEquals(undos, [], "undone although nothing asks for it");

  const { undo: reason } = turns[begun]!.control;
  const hasFailed = undos.some(({ event }) => event === FAILED);
  if (hasFailed) assertEquals(progress.status, "failed");
  else {
    assertEquals(progress.status, reason?.status);
    assertEquals(undone.toSorted(), doable.toSorted());
  }
  for (const [at, one] of undos.entries()) {
    const before = new Set(
      undos.slice(0, at).filter(({ event }) => event !== FAILED)
        .map(({ key }) => key),
    );
    for (const key of causedBy(forward, one.key)) {
      assert(!doable.includes(key) || before.has(key), `${one.key} is undone before ${key}`);
    }
  }
  for (const turn of turns.slice(begun)) {
    assert(turn.started.every(({ step }) => isUndo(step)), "a step starts while it undoes");
    assertEquals(isFinal(turn.status), turn === turns.at(-1));
  }
}

describe("the engine, where an instance undoes", () => {
  it("undoes each thing once, after what it has caused, and cuts off nothing that can be", () => {
    const property = fc.property(randomUndos(), fc.nat(), (workflow, seed) => {
      const pick = numbers(seed);
      for (let round = 0; round < 5; round++) {
        const one = run(workflow, failing(workflow, pick(2 ** 30), pick), pick);
        assertUndone(workflow, one);
        const starts = one.turns.map(({ started }) => new Set(started.map(activationKey)));
        for (const [at, { withdrawn }] of one.turns.entries()) {
          for (const key of withdrawn.map(activationKey)) {
            const { undoable } = workflow.graph.steps.get(stepOf(key))!;
            const hasBegun = starts.slice(0, at).some((started) => started.has(key));
            assert(undoable.size === 0 || !hasBegun, `${key} was cut off`);
          }
        }
      }
    });
    fc.assert(property, { numRuns: runs(200), includeErrorInReport: true });
  });

  const work = step("work", {
    events: { ok: type(), no: type() },
    run: ({ emit }) => emit.ok(),
    undo: { ok: () => {}, failed: () => {} },
  });
  const plain = step("plain", { events: { ok: type() }, run: ({ emit }) => emit.ok() });
  const [a, b, c] = [work.as("a"), work.as("b"), work.as("c")];
  const wait = signal("wait", { events: { ok: type() } });
  const day = timer("day", "1d");

  const parallel = () =>
    workflow("parallel", { key: "id", input: type(), start: a, undoOn: ["failed", "cancelled"] })
      .on(a, { ok: [b, c, wait, day, plain], no: done })
      .on(b, { ok: done, no: undo })
      .on(c, { ok: done, no: done })
      .on(wait, { ok: done })
      .on(day, { elapsed: done })
      .on(plain, { ok: done })
      .build();

  const begun = () => {
    const { graph, undoOn } = parallel();
    const turns = [open(graph, undecided, undoOn)];
    const next = (...endings: Parameters<typeof advance>[2]) => {
      const { control } = turns.at(-1)!;
      const turn = advance(graph, control, endings, undecided, () => applied(turns));
      turns.push(turn);
      return turn;
    };
    next(ending("a", 1));
    return { graph, turns, next };
  };
  const names = (of: Progress) => ({
    status: of.status,
    active: [...of.control.active.keys()],
    withdrawn: of.withdrawn.map(({ step, cause }) => `${step} by ${cause}`),
    started: of.started.map(activationKey),
  });

  it("lets what can be undone end, withdraws the rest, and then undoes in the order of causes", () => {
    const { next } = begun();

    assertEquals(names(next(ending("b", 1, "no"))), {
      status: "undoing",
      active: ["c"],
      withdrawn: ["wait by b", "day by b", "plain by b"],
      started: [],
    });
    assertEquals(names(next(ending("c", 1))).started, ["~c"]);
    const last = next(ending("~c", 1, "undone"));
    assertEquals(names(last).started, ["~a"]);
    assertEquals(last.applied[0]?.causes, ["c"]);
    const end = next(ending("~a", 1, "undone"));
    assertEquals([end.status, end.control.active.size], ["undone", 0]);
  });

  it("undoes what has failed before, and ends as failed", () => {
    const { next } = begun();

    const failed = { ...ending("b", 1, FAILED), failure: { name: "Error", message: "no stock" } };
    const first = next(failed, ending("c", 1));

    assertEquals(names(first).started, ["~b", "~c"]);
    assertEquals(first.control.undo, { status: "failed", step: "b", message: "no stock" });
    assertEquals(first.failed?.failure?.message, "no stock");
    next(ending("~b", 1, "undone"), ending("~c", 1, "undone"));
    const end = next(ending("~a", 1, "undone"));
    assertEquals([end.status, end.failed], ["failed", undefined]);
  });

  it("does not undo what an undo that has failed stands in the way of, but the others", () => {
    const { next } = begun();
    next(ending("b", 1, "no"), ending("plain", 1));
    next(ending("c", 1));

    const end = next(ending("~c", 1, FAILED));

    assertEquals([end.status, names(end).started], ["failed", []]);
    assertEquals((end.failed?.thrown as { code?: string }).code, "UNDO_FAILED");
    assertEquals(end.failed?.step, "~c");
    assertEquals(end.control.undo?.status, "undone");
  });

  it("ignores what comes for steps that it has withdrawn, and what was kept for later", () => {
    const { next } = begun();
    next(ending("b", 1, "no"));

    const late = next(ending("wait", 1), ending("day", 1, "elapsed"));

    assertEquals(late.ignored.map(({ step }) => step), ["wait", "day"]);
    assertEquals(late.applied, []);
  });

  it("is not made to fail by a step that it lets end", () => {
    const { next } = begun();
    next(ending("b", 1, "no"));

    const after = next(ending("c", 1, FAILED));

    assertEquals([after.status, after.failed], ["undoing", undefined]);
    assertEquals(names(after).started, ["~c"]);
  });

  it("leaves the undoing of a cancelled instance to the next turn", () => {
    const { graph, turns } = begun();
    const { control } = turns.at(-1)!;

    const first = cancelUndoing(graph, control, "The customer left");
    assertEquals([first.status, [...first.control.active.keys()]], ["undoing", ["b", "c"]]);
    assertEquals(first.wake, false);

    const bare = cancelUndoing(graph, { ...control, active: new Map() }, "The customer left");
    assertEquals(bare.wake, true);
    const next = advance(graph, bare.control, [], undecided, () => applied(turns));
    assertEquals([next.status, names(next).started], ["undoing", ["~a"]]);
  });

  it("ends at once if nothing was done", () => {
    const flow = workflow("nothing", { key: "id", input: type(), start: b })
      .on(b, { ok: done, no: undo }).build();
    const { control } = open(flow.graph, undecided);

    const end = advance(flow.graph, control, [ending("b", 1, "no")], undecided);

    assertEquals([end.status, end.applied.length], ["undone", 1]);
  });

  it("counts a join once for what each of its sources has caused", () => {
    const flow = workflow("joined", { key: "id", input: type(), start: plain })
      .on(plain, { ok: [a, b] })
      .on(a, { ok: join(c), no: done })
      .on(b, { ok: join(c), no: done })
      .on(c, { ok: undo, no: done })
      .build();
    const turns = [open(flow.graph, undecided)];
    for (const endings of [[ending("plain", 1)], [ending("a", 1), ending("b", 1)]]) {
      turns.push(advance(flow.graph, turns.at(-1)!.control, endings, undecided));
    }

    const history = () => applied(turns);
    const first = advance(flow.graph, turns.at(-1)!.control, [ending("c", 1)], undecided, history);
    turns.push(first);
    const undone = [ending("~c", 1, "undone")];
    const second = advance(flow.graph, first.control, undone, undecided, history);

    assertEquals([names(first).started, names(second).started], [["~c"], ["~a", "~b"]]);
  });
});
