import fc from "fast-check";
import { choice } from "../../../../src/core/define/choice.ts";
import { WorkflowDefinitionError } from "../../../../src/core/errors/errors.ts";
import type { ArrivalMode, StepKind } from "../../../../src/core/graph/graph.ts";
import { signal, timer } from "../../../../src/core/define/signal.ts";
import type { Need } from "../../../../src/core/define/step_definition.ts";
import { type Step, step } from "../../../../src/core/define/step.ts";
import {
  type Again,
  again,
  done,
  drop,
  first,
  join,
  type Move,
} from "../../../../src/core/define/target.ts";
import { type Type, type } from "../../../../src/core/value/type.ts";
import type { Workflow } from "../../../../src/core/graph/workflow.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";

/** A workflow before it is built: each row with its kind, its needs, and where its events lead. */
export interface Plan {
  readonly rows: readonly {
    readonly kind: StepKind;
    readonly asynchronous: boolean;
    /** Whether the last of `events` is the road for `failed`. */
    readonly fails: boolean;
    readonly events: readonly (readonly { readonly to: number; readonly mode: ArrivalMode }[])[];
    /** Of an event that leads back: to which row, and how often. */
    readonly back: readonly (Back & { readonly event: number })[];
    /** Of an event that drops a branch: its first row. */
    readonly drops: readonly { readonly event: number; readonly of: number }[];
    readonly needs: readonly { readonly of: number; readonly event: number | "*" | "!" }[];
    readonly sees: readonly number[];
  }[];
}

interface Back {
  readonly to: number;
  readonly limit: number;
  readonly ends: boolean;
}

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

/** Builds a plan as plain JavaScript would: throws what the definition throws. */
export function build({ rows }: Plan): Workflow {
  const steps: Step[] = [];
  const name = (index: number): string => `s${index}`;
  for (const [index, row] of rows.entries()) {
    const own = row.fails ? row.events.slice(0, -1) : row.events;
    const events = Object.fromEntries(own.map((_, event) => [`e${event}`, type()]));
    const needs = row.needs.flatMap(({ of, event }) => {
      const source = steps[of];
      if (source === undefined) return [];
      if (event === "*") return [source.outcome()];
      return [event === "!" ? source.settled() : need(source, event, rows[of]!.fails)];
    });
    const sees = row.sees.flatMap((of) => steps[of]?.outcome() ?? []);
    steps.push(made(row.kind, name(index), events, needs, sees, row.asynchronous));
  }
  const reached = new Set([0]);
  const joined = new Map<number, Set<number>>();
  for (const [index, { events }] of rows.entries()) {
    for (const { to, mode } of reached.has(index) ? events.flat() : []) {
      reached.add(to);
      if (mode === "join") joined.set(to, (joined.get(to) ?? new Set()).add(index));
    }
  }
  // deno-lint-ignore no-explicit-any
  let builder: any = workflow("random", { key: "id", input: type(), start: steps[0]! });
  for (const index of [...reached].sort((a, b) => a - b)) {
    const names = Object.keys(steps[index]!.events);
    const moves = rows[index]!.events.map((arms, event) => {
      const targets = arms.map(({ to, mode }) => {
        const target = steps[to]!;
        if (mode === "first") return first(target);
        return mode === "join" && joined.get(to)!.size > 1 ? join(target) : target;
      });
      const branches = rows[index]!.drops
        .filter((one) => one.event === event && !arms.some(({ to }) => to === one.of));
      const dropped = [...new Set(branches.map(({ of }) => of))].map((of) => drop(steps[of]!));
      const move = targets.length > 0
        ? [...targets, ...dropped]
        : dropped.length > 0
        ? [done, ...dropped]
        : done;
      const back = rows[index]!.back.find((one) => one.event === event);
      return [names[event] ?? "failed", back === undefined ? move : looped(steps, back, move)];
    });
    builder = builder.on(steps[index], Object.fromEntries(moves));
  }
  return builder.build();
}

function looped(
  steps: readonly Step[],
  { to, limit, ends }: Back,
  then: Move | readonly unknown[],
): Again {
  return again(steps[to]!, ends ? { limit } : { limit, then: then as Move });
}

function need(source: Step, event: number, fails: boolean): Need {
  const names = [...Object.keys(source.events), ...(fails ? ["failed"] : [])];
  return source.when(names[event % names.length]!);
}

function made(
  kind: StepKind,
  name: string,
  events: Record<string, Type<undefined>>,
  needs: readonly Need[],
  sees: readonly Need[],
  asynchronous: boolean,
): Step {
  switch (kind) {
    case "step":
      return step(name, {
        events,
        needs,
        sees,
        async: asynchronous,
        run: ({ emit }) => emit["e0"]!(),
      });
    case "choice":
      return choice(name, { events, needs, decide: ({ emit }) => emit["e0"]!() });
    case "signal":
      return signal(name, { events });
    case "timer":
      return timer(name, "1m");
  }
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
function withSomeDrops({ rows }: Plan): Workflow | undefined {
  let kept: Plan = { rows: rows.map((row) => ({ ...row, drops: [] })) };
  let best = rows.some(({ drops }) => drops.length > 0) ? built(kept) : undefined;
  if (best === undefined) return undefined;
  for (const [index, { drops }] of rows.entries()) {
    for (const drop of drops) {
      const more = {
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
