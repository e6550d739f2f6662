import fc from "fast-check";
import type { UndoOn } from "../../../../src/core/engine/instance.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import type { ArrivalMode, StepKind } from "../../../../src/core/graph/graph.ts";
import type { Workflow } from "../../../../src/core/graph/workflow.ts";
import { build, type Plan } from "./built_graphs.ts";

const modes: fc.Arbitrary<ArrivalMode> = fc.constantFrom(
  "plain",
  "join",
  "join",
  "join",
  "first",
);

const wanted = [0, 1, 2, "*", "*", "!"] as const;

function rarely<T>(item: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, {
    weight: 1,
    arbitrary: fc.tuple(item),
  });
}

/**
 * Rows whose targets lie a little further down; most arrivals at a step agree on their mode. With
 * `loops`, some events lead back up; with `drops`, some drop a branch.
 */
function plan(most: number, loops: boolean, drops = false): fc.Arbitrary<Plan> {
  const arm = fc.record({ ahead: fc.integer({ min: 1, max: 3 }), odd: fc.nat(14), mode: modes });
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.array(arm, { minLength: 1, maxLength: 1 }) },
    { weight: 5, arbitrary: fc.array(arm, { minLength: 2, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  );
  const back = fc.record({
    event: fc.nat(2),
    rows: fc.nat(3),
    limit: fc.integer({ min: 1, max: 3 }),
    ends: fc.boolean(),
  });
  const dropping = fc.record({ event: fc.nat(2), ahead: fc.constantFrom(-2, -1, 1, 2, 3) });
  const row = fc.record({
    drops: drops
      ? fc.oneof(rarely(dropping), fc.array(dropping, { minLength: 1, maxLength: 2 }))
      : fc.constant([]),
    back: loops ? fc.oneof(rarely(back), fc.tuple(back)) : fc.constant([]),
    kind: fc.constantFrom<StepKind>("step", "step", "step", "choice", "signal", "timer"),
    asynchronous: fc.nat(5),
    fails: fc.boolean(),
    usual: modes,
    events: fc.oneof(
      { weight: 3, arbitrary: fc.tuple(event) },
      { weight: 2, arbitrary: fc.array(event, { minLength: 2, maxLength: 3 }) },
    ),
    needs: rarely(fc.record({ back: fc.integer({ min: 1, max: 5 }), event: fc.nat(5) })),
    sees: rarely(fc.integer({ min: 1, max: 5 })),
  });
  return fc.array(row, { minLength: 4, maxLength: most }).map((rows) => ({
    rows: rows.map(({ kind, asynchronous, fails, events, back, drops, needs, sees }, index) => ({
      drops: drops.flatMap(({ event, ahead }) =>
        rows[index + ahead] === undefined ? [] : [{ event, of: index + ahead }]
      ),
      back: back.flatMap(({ event, rows, limit, ends }) =>
        index < rows ? [] : [{
          event: event % (kind === "timer" ? 1 : events.length),
          to: index - rows,
          limit,
          ends,
        }]
      ),
      kind,
      asynchronous: kind === "step" && asynchronous === 0,
      fails: kind === "step" && fails && events.length > 1,
      events: (kind === "timer" ? events.slice(0, 1) : events).map((arms) => {
        const targets = new Map<number, ArrivalMode>();
        for (const { ahead, odd, mode } of arms) {
          const target = rows[index + ahead];
          if (target !== undefined) targets.set(index + ahead, odd === 0 ? mode : target.usual);
        }
        return [...targets].map(([to, mode]) => ({ to, mode }));
      }).map((targets, at) =>
        back.some(({ event, ends }) =>
            ends && event % (kind === "timer" ? 1 : events.length) === at
          )
          ? []
          : targets
      ),
      needs: needs.flatMap(({ back, event }) =>
        index < back ? [] : [{ of: index - back, event: wanted[event]! }]
      ),
      sees: sees.flatMap((back) => index < back ? [] : [index - back]),
    })),
  }));
}

/** Random workflows that the definition accepts, of up to `most` steps. */
export function randomWorkflow(most = 10): fc.Arbitrary<Workflow> {
  return accepted(plan(most, false)).filter(({ steps }) => steps.size > 2);
}

/** Random workflows with loops that the definition accepts, of up to `most` steps. */
export function randomLoops(most = 8): fc.Arbitrary<Workflow> {
  const loops = ({ graph }: Workflow) =>
    [...graph.steps.values()].some((step) => step.loops.size > 0);
  return accepted(plan(most, true)).filter(loops);
}

/** Random workflows that drop branches, with loops too, of up to `most` steps. */
export function randomDrops(most = 8): fc.Arbitrary<Workflow> {
  const drops = ({ graph }: Workflow) =>
    [...graph.steps.values()].some((step) => step.drops.size > 0);
  return accepted(fc.oneof(plan(most, false, true), plan(most, true, true))).filter(drops);
}

/** Random workflows that undo, with loops and drops too, of up to `most` steps. */
export function randomUndos(most = 8): fc.Arbitrary<Workflow> {
  const ends = fc.subarray<UndoOn>(["failed", "cancelled"]);
  const marks = fc.array(fc.record({ undoing: fc.nat(9), undoable: fc.nat(2) }), {
    minLength: most,
    maxLength: most,
  });
  const plans = fc.tuple(fc.oneof(plan(most, true), plan(most, true, true)), marks, ends)
    .map(([{ rows }, marks, undoOn]) => ({
      undoOn,
      rows: rows.map((row, at) => {
        const { undoing, undoable } = marks[at]!;
        const event = row.events[undoing] === undefined ? {} : { undoing };
        const events = row.events.map((targets, at) => at === event.undoing ? [] : targets);
        const marked = row.kind === "step" && undoable > 0 ? { undoable: true } : {};
        return { ...row, ...event, ...marked, events };
      }),
    }));
  return accepted(plans).filter(({ graph }) =>
    [...graph.steps.values()].some((step) => step.undoable.size > 0)
  );
}

function accepted(plans: fc.Arbitrary<Plan>): fc.Arbitrary<Workflow> {
  return plans.map((plan) => built(plan) ?? withSomeDrops(plan))
    .filter((built): built is Workflow => built !== undefined);
}

function built(plan: Plan): Workflow | undefined {
  try {
    return build(plan);
  } catch (error) {
    if (error instanceof WorkflowDefinitionError) return undefined;
    throw error;
  }
}

/** Most drops are refused: the workflow without them, and those of them that are accepted. */
function withSomeDrops({ rows, ...rest }: Plan): Workflow | undefined {
  let kept: Plan = { ...rest, rows: rows.map((row) => ({ ...row, drops: [] })) };
  let best = rows.some(({ drops }) => drops.length > 0) ? built(kept) : undefined;
  if (best === undefined) return undefined;
  for (const [index, { drops }] of rows.entries()) {
    for (const drop of drops) {
      const more = {
        ...rest,
        rows: kept.rows.map((row, at) =>
          at === index ? { ...row, drops: [...row.drops, drop] } : row
        ),
      };
      const found = built(more);
      if (found !== undefined) [kept, best] = [more, found];
    }
  }
  return best;
}

/** Chooses a number below the given one. */
export type Pick = (below: number) => number;

/** A small generator of numbers, so that one seed stands for a whole run. */
export function numbers(seed: number): Pick {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
