import type { Refuse } from "../define/options.ts";
import { canFail, failedEvent, type StepDefinition } from "../define/step_definition.ts";
import { type Aim, aims, dropped, undoes, type WayBack, wayBack } from "../define/aims.ts";
import { type Graph, graph, type GraphStep } from "./graph.ts";
import { type NamedEnding, outcomesOf } from "./returns.ts";

/** A step and where each of its events leads. */
export interface WorkflowRow {
  readonly step: StepDefinition;
  /** For an event that leads back: where it leads after the last round. */
  readonly moves: ReadonlyMap<string, readonly Aim[]>;
  readonly loops: ReadonlyMap<string, WayBack>;
  readonly drops: ReadonlyMap<string, readonly StepDefinition[]>;
  readonly undoing: ReadonlySet<string>;
}

/**
 * Validates one row: every event of the step must have a target, and no other event may be listed,
 * except the road for `failed`.
 */
export function row(step: StepDefinition, moves: unknown, refuse: Refuse): WorkflowRow {
  if (typeof moves !== "object" || moves === null) {
    throw refuse(`the transitions of step "${step.name}" are not an object`);
  }
  const given = new Map<string, unknown>(Object.entries(moves));
  for (const event of given.keys()) {
    if (step.events.has(event)) continue;
    if (event !== failedEvent) throw refuse(`step "${step.name}" never emits "${event}"`);
    if (!canFail(step)) {
      throw refuse(`${step.kind} "${step.name}" cannot fail: only a step has attempts to use up`);
    }
  }
  const read = new Map<string, readonly Aim[]>();
  const loops = new Map<string, WayBack>();
  const drops = new Map<string, readonly StepDefinition[]>();
  const undoing = new Set<string>();
  const events = [...step.events.keys(), ...(given.has(failedEvent) ? [failedEvent] : [])];
  for (const event of events) {
    if (!given.has(event)) {
      throw refuse(`event "${step.name}.${event}" has no target: use done to end the path`);
    }
    const list = aims(given.get(event), `event "${step.name}.${event}"`);
    const names = new Set<string>();
    for (const { step: { name } } of list) {
      if (names.has(name)) throw refuse(`event "${step.name}.${event}" leads to "${name}" twice`);
      names.add(name);
    }
    read.set(event, list);
    const back = wayBack(given.get(event), refuse);
    if (back !== undefined) loops.set(event, back);
    if (undoes(given.get(event))) undoing.add(event);
    const branches = dropped(given.get(event));
    for (const [at, branch] of branches.entries()) {
      const what = `event "${step.name}.${event}" drops "${branch.name}"`;
      if (names.has(branch.name)) throw refuse(`${what} and leads to it`);
      if (branches.indexOf(branch) < at) throw refuse(`${what} twice`);
    }
    if (branches.length > 0) drops.set(event, branches);
  }
  return { step, moves: read, loops, drops, undoing };
}

/**
 * Builds the graph from its rows. Each step must be the target of an earlier row, and only
 * `again` leads back to an earlier one.
 */
export function assemble(
  start: StepDefinition,
  rows: readonly WorkflowRow[],
  returned: readonly NamedEnding[],
  refuse: Refuse,
): Graph {
  const known = new Map([[start.name, start]]);
  const open = new Set([start.name]);
  const sealed = new Set<string>();
  const sources = new Map<string, Set<string>>();

  const same = (step: StepDefinition): void => {
    if ((known.get(step.name) ?? step) === step) known.set(step.name, step);
    else throw refuse(`two different steps are named "${step.name}"`);
  };

  for (const { step, moves, loops, drops } of rows) {
    same(step);
    if (sealed.has(step.name)) throw refuse(`step "${step.name}" already has its transitions`);
    if (!open.delete(step.name)) {
      throw refuse(`step "${step.name}" is not the target of any transition above`);
    }
    sealed.add(step.name);
    for (const [event, branches] of drops) {
      for (const branch of branches) {
        same(branch);
        if (sealed.has(branch.name) || open.has(branch.name)) continue;
        throw refuse(
          `event "${step.name}.${event}" drops "${branch.name}", which is not the target of any transition above`,
        );
      }
    }
    for (const [event, list] of moves) {
      for (const { step: to, mode } of list) {
        same(to);
        if (sealed.has(to.name)) {
          throw refuse(
            `event "${step.name}.${event}" leads to "${to.name}", which comes earlier: use again(...) to go back to it`,
          );
        }
        open.add(to.name);
        if (mode !== "join") continue;
        const joined = sources.get(to.name);
        if (joined === undefined) sources.set(to.name, new Set([step.name]));
        else joined.add(step.name);
      }
    }
    for (const [event, { step: to }] of loops) {
      same(to);
      if (sealed.has(to.name)) continue;
      throw refuse(
        `event "${step.name}.${event}" leads back to "${to.name}", which does not come earlier`,
      );
    }
  }
  for (const name of open) throw refuse(`"${name}" has no transitions: add .on(${name}, ...)`);
  const outcomes = outcomesOf(returned, rows, refuse);
  return graph(rows.map((row, index) => node(row, index, sources, outcomes)));
}

const nothing: ReadonlySet<string> = new Set();

function node(
  { step, moves, loops, drops, undoing }: WorkflowRow,
  index: number,
  sources: ReadonlyMap<string, ReadonlySet<string>>,
  outcomes: ReadonlyMap<string, ReadonlyMap<string, string>>,
): GraphStep {
  const arrivals = [...moves].map(([event, list]) =>
    [event, list.map(({ step: { name }, mode }) => ({ to: name, mode }))] as const
  );
  return Object.freeze({
    name: step.name,
    kind: step.kind,
    index,
    moves: new Map(arrivals),
    loops: new Map(
      [...loops].map(([event, { step: { name }, limit, ends }]) =>
        [event, Object.freeze({ to: name, limit, ends })] as const
      ),
    ),
    drops: new Map(
      [...drops].map(([event, branches]) => [event, branches.map(({ name }) => name)] as const),
    ),
    undoing,
    undoable: step.undo?.undoes ?? nothing,
    returns: outcomes.get(step.name) ?? new Map(),
    sources: [...(sources.get(step.name) ?? [])],
    needs: step.needs.map(({ name }) => name),
    sees: step.sees.map(({ name }) => name),
    asynchronous: step.asynchronous,
    ...(step.child === undefined ? {} : { child: step.child.target.name }),
    ...(step.item === undefined ? {} : { items: step.item.policy }),
  });
}
