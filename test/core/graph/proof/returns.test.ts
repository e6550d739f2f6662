import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { step } from "../../../../src/core/define/step.ts";
import { again, done, drop, first, join, undo } from "../../../../src/core/define/target.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";
import { type } from "../../../../src/core/value/type.ts";
import { simulate } from "../../../../src/testing/simulate.ts";
import { atRandom, everyChoice, execute } from "./executor.ts";
import { numbers, randomDrops, randomLoops, randomWorkflow } from "./random_graphs.ts";
import { plausible, returnedIn, returning } from "./random_returns.ts";
import { runs } from "../../property_runs.ts";

// As plain JavaScript sees them: whatever the compiler refuses gets through.
// deno-lint-ignore no-explicit-any
type Anything = any;
const [define, begin]: Anything[] = [step, workflow];

const one = (name: string): Anything =>
  define(name, { events: { ok: type(), no: type() }, run: () => undefined });
const from = (start: Anything): Anything => begin("w", { key: "id", input: type(), start });
const [a, b, c, d, e, f] = ["a", "b", "c", "d", "e", "f"].map(one);
const end = { ok: done, no: done };
const alone = (): Anything => from(a).on(a, end);
const forked = (): Anything => from(a).on(a, { ok: [b, c], no: done });
const ends = { aNo: a.when("no") };
const race = (of: Anything): Anything =>
  forked().on(b, { ok: [d, drop(c)], no: of }).on(c, { ok: [e, drop(b)], no: [e, drop(b)] });

type Refused = [name: string, write: () => unknown, sentence: string];
const refused: readonly Refused[] = [
  ["no object", () => alone().returns("a"), "what it returns is not an object"],
  [
    "no outcome",
    () => alone().returns({}),
    "it returns no outcome: name one, or omit returns(...)",
  ],
  [
    "the name of a status",
    () => alone().returns({ failed: a.when("no") }),
    `outcome "failed" would say how an instance ended: use another name`,
  ],
  [
    "what is no name",
    () => alone().returns({ "a b": a.when("no") }),
    `Cannot use outcome name "a b"`,
  ],
  [
    "a step instead of an event",
    () => alone().returns({ x: a }),
    `outcome "x" is not an event of a step: use step.when(...)`,
  ],
  ...[a.outcome(), a.settled(), a.every("ok")].map((need: Anything): Refused => [
    `"${need.event}" of a step`,
    () => alone().returns({ x: need }),
    `outcome "x" is not one event of "a": use a.when(...)`,
  ]),
  [
    "a step that is not in the workflow",
    () => alone().returns({ x: b.when("ok") }).build(),
    `outcome "x" returns "b.ok", but "b" is not a step of this workflow`,
  ],
  [
    "a failure without a road",
    () => alone().returns({ x: a.when("failed") }).build(),
    `outcome "x" returns "a.failed", but the row of "a" has no road for "failed"`,
  ],
  [
    "an event that the step of this name does not have",
    () => alone().returns({ x: { name: "a", event: "gone" } }).build(),
    `outcome "x" returns "a.gone", but "a" never emits "gone"`,
  ],
  [
    "one event twice",
    () => alone().returns({ x: a.when("ok"), y: a.when("ok"), z: a.when("no") }).build(),
    `outcome "y" returns "a.ok", which outcome "x" already returns`,
  ],
  [
    "an event after which the instance undoes",
    () =>
      from(a).on(a, { ok: undo, no: done }).returns({ x: a.when("ok"), y: a.when("no") }).build(),
    `outcome "x" returns "a.ok", which ends by undoing`,
  ],
  [
    "two events of one run",
    () =>
      from(a).on(a, { ok: b, no: done }).on(b, end)
        .returns({ ...ends, x: a.when("ok"), y: b.when("ok"), z: b.when("no") }).build(),
    `"a.ok" and "b.ok" can both be returned in one run`,
  ],
  [
    "events of two branches",
    () =>
      forked().on(b, end).on(c, end)
        .returns({ ...ends, x: b.when("ok"), y: b.when("no"), z: c.when("ok") }).build(),
    `"b.ok" and "c.ok" can both be returned in one run. Return what comes after both, or drop`,
  ],
  [
    "nothing after an event",
    () => alone().returns({ x: a.when("ok") }).build(),
    `a run may complete without returning anything: one with "a.no"`,
  ],
  [
    "nothing where a join cannot start",
    () =>
      forked().on(b, { ok: join(d), no: done }).on(c, { ok: join(d), no: done }).on(d, end)
        .returns({ ...ends, x: d.when("ok"), y: d.when("no"), z: b.when("no") }).build(),
    `a run may complete without returning anything: one with "a.ok" and one with "b.ok" and one with "c.no"`,
  ],
  [
    "what may be dropped",
    () =>
      forked().on(b, end).on(c, { ok: [done, drop(b)], no: done })
        .returns({ ...ends, x: b.when("ok"), y: b.when("no") }).build(),
    `one with "a.ok". "b.no" does not count where it may be dropped before`,
  ],
  [
    "nothing where nobody wins a race of which both sides return",
    () =>
      forked().on(b, { ok: [d, drop(c)], no: done }).on(c, { ok: [e, drop(b)], no: done })
        .on(d, end).on(e, end).returns({
          ...ends,
          ...{ dOk: d.when("ok"), dNo: d.when("no"), eOk: e.when("ok"), eNo: e.when("no") },
        }).build(),
    `one with "a.ok" and one that drops neither branch`,
  ],
  [
    "nothing after one side of a race",
    () =>
      race(done).on(d, end).on(e, end).returns({
        ...ends,
        ...{ dOk: d.when("ok"), dNo: d.when("no"), eOk: e.when("ok") },
      }).build(),
    `one with "a.ok" and one in which "c" is first and one with "e.no"`,
  ],
  [
    "what more than 4,096 ways lead to",
    () => {
      const workers = Array.from(
        { length: 13 },
        (_, at): Anything =>
          define(`w${at}`, {
            events: { ok: type(), no: type(), off: type() },
            run: () => undefined,
          }),
      );
      let builder = from(a).on(a, { ok: workers, no: done });
      for (const worker of workers) {
        builder = builder.on(worker, { ok: join(b), no: join(b), off: done });
      }
      return builder.on(b, end).returns({ ...ends, x: b.when("ok"), y: b.when("no") }).build();
    },
    `there are too many ways to "b.ok" to prove that every run returns something`,
  ],
  [
    "what a loop may have dropped in an earlier round",
    () =>
      from(a).on(a, { ok: [b, c], no: done }).on(b, { ok: [d, drop(c)], no: done })
        .on(c, { ok: [done, drop(b)], no: [done, drop(b)] })
        .on(d, { ok: again(b, { limit: 3 }), no: done })
        .returns({ ...ends, dNo: d.when("no"), cOk: c.when("ok"), cNo: c.when("no") }).build(),
    `a run may complete without returning anything`,
  ],
];

const accepted: readonly [name: string, write: () => unknown][] = [
  ["one event of each road", () => alone().returns({ x: a.when("ok"), y: a.when("no") }).build()],
  [
    "a join and what prevents it",
    () =>
      forked().on(b, { ok: join(d), no: first(e) }).on(c, { ok: join(d), no: first(e) })
        .on(d, end).on(e, end)
        .returns({
          ...ends,
          ...{ dOk: d.when("ok"), dNo: d.when("no"), eOk: e.when("ok"), eNo: e.when("no") },
        }).build(),
  ],
  [
    "a step beside which another branch is still active",
    () =>
      forked().on(b, end).on(c, end).returns({ ...ends, x: b.when("ok"), y: b.when("no") }).build(),
  ],
  [
    "the event of a loop, which a new round takes back",
    () =>
      from(a).on(a, { ok: again(a, { limit: 3, then: done }), no: done })
        .returns({ ok: a.when("ok"), no: a.when("no") }).build(),
  ],
  [
    "nothing where the rounds of a loop are used up",
    () =>
      from(a).on(a, { ok: again(a, { limit: 3 }), no: done }).returns({ no: a.when("no") }).build(),
  ],
  [
    "nothing where the instance ends by undoing",
    () => from(a).on(a, { ok: undo, no: done }).returns({ no: a.when("no") }).build(),
  ],
  [
    "a failure that has a road",
    () =>
      from(a).on(a, { ok: done, no: done, failed: done })
        .returns({ ok: a.when("ok"), no: a.when("no"), gone: a.when("failed") }).build(),
  ],
  [
    "both sides of a race",
    () =>
      race([d, drop(c)]).on(d, end).on(e, end)
        .returns({
          ...ends,
          ...{ dOk: d.when("ok"), dNo: d.when("no"), eOk: e.when("ok"), eNo: e.when("no") },
        }).build(),
  ],
  [
    "a race in which a decision leads to one side",
    () =>
      from(a).on(a, { ok: [b, c], no: done }).on(b, { ok: [f, drop(c)], no: [f, drop(c)] })
        .on(c, { ok: d, no: done }).on(d, { ok: [f, drop(b)], no: [f, drop(b)] }).on(f, end)
        .returns({ ...ends, fOk: f.when("ok"), fNo: f.when("no") }).build(),
  ],
];

describe("what a workflow returns", () => {
  for (const [name, write, sentence] of refused) {
    it(`is refused where it is ${name}`, () => {
      assertStringIncludes(assertThrows(write, WorkflowDefinitionError).message, sentence);
    });
  }

  for (const [name, write] of accepted) {
    it(`may be ${name}`, () => {
      write();
    });
  }

  for (
    const [which, workflows] of [
      ["", randomWorkflow()],
      [" with loops", randomLoops()],
      [" with drops", randomDrops()],
    ] as const
  ) {
    it(`is exactly one outcome in each run of a random workflow${which}`, () => {
      fc.assert(
        fc.property(workflows, fc.nat(), (workflow, seed) => {
          const pick = numbers(seed);
          const made = returning(workflow, plausible(workflow, pick));
          if (made === undefined) return;
          for (let round = 0; round < 20; round++) {
            const run = execute(made, atRandom(made, pick(2 ** 30)), pick);
            if (!run.usedUp) assertEquals(returnedIn(made, run.endings).length, 1);
          }
          const { complete, ends, outcomes } = simulate(made, { states: 500 });
          const returned = Object.values(outcomes).reduce((sum, runs) => sum + runs, 0);
          if (complete) assertEquals(returned, ends.completed);
        }),
        { numRuns: runs(which === " with drops" ? 200 : 500) },
      );
    });
  }

  it("is accepted if each run of a workflow without loops and drops has exactly one", () => {
    fc.assert(
      fc.property(randomWorkflow(8), fc.nat(), (workflow, seed) => {
        const endings = plausible(workflow, numbers(seed));
        const isReturned = (ending: string) => endings.includes(ending);
        const isRight = [...everyChoice(workflow)].every((choices) =>
          execute(workflow, choices, () => 0).endings.filter(isReturned).length === 1
        );

        assertEquals(returning(workflow, endings) !== undefined, isRight);
      }),
      { numRuns: runs(400) },
    );
  });
});
