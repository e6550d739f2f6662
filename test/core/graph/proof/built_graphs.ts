import { each } from "../../../../src/core/each/each.ts";
import { choice } from "../../../../src/core/define/choice.ts";
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
  undo,
} from "../../../../src/core/define/target.ts";
import type { UndoOn } from "../../../../src/core/engine/instance.ts";
import { workflow } from "../../../../src/core/graph/builder.ts";
import type { ArrivalMode, StepKind } from "../../../../src/core/graph/graph.ts";
import type { Workflow } from "../../../../src/core/graph/workflow.ts";
import { type Type, type } from "../../../../src/core/value/type.ts";

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
    /** The event that ends the instance by undoing, where one does. */
    readonly undoing?: number;
    readonly undoable?: boolean;
  }[];
  readonly undoOn?: readonly UndoOn[];
}

interface Back {
  readonly to: number;
  readonly limit: number;
  readonly ends: boolean;
}

/** Builds a plan as plain JavaScript would: throws what the definition throws. */
export function build({ rows, undoOn = [] }: Plan): Workflow {
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
    const how = row.undoable ? { ...events, failed: undefined } : {};
    const code = Object.fromEntries(Object.keys(how).map((event) => [event, () => {}]));
    steps.push(made(row.kind, name(index), events, needs, sees, row.asynchronous, code));
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
  let builder: any = workflow("random", { key: "id", input: type(), start: steps[0]!, undoOn });
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
      if (event === rows[index]!.undoing) return [names[event] ?? "failed", undo];
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
  code: Record<string, () => void>,
): Step {
  switch (kind) {
    case "step":
      return step(name, {
        ...(Object.keys(code).length === 0 ? {} : { undo: code }),
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
    case "each":
      return each(name, { needs, over: () => [], events, run: ({ emit }) => emit["e0"]!() });
  }
}
