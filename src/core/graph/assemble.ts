import type { Refuse } from "../define/options.ts";
import { canFail, failedEvent, type StepDefinition } from "../define/step_definition.ts";
import { type Aim, aims } from "../define/target.ts";
import { type Graph, graph, type GraphStep } from "./graph.ts";

/** A step and where each of its events leads. */
export interface WorkflowRow {
  readonly step: StepDefinition;
  readonly moves: ReadonlyMap<string, readonly Aim[]>;
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
  }
  return { step, moves: read };
}

/**
 * Builds the graph from its rows. Each step must be the target of an earlier row and may not lead
 * back to an earlier one.
 */
export function assemble(
  start: StepDefinition,
  rows: readonly WorkflowRow[],
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

  for (const { step, moves } of rows) {
    same(step);
    if (sealed.has(step.name)) throw refuse(`step "${step.name}" already has its transitions`);
    if (!open.delete(step.name)) {
      throw refuse(`step "${step.name}" is not the target of any transition above`);
    }
    sealed.add(step.name);
    for (const [event, list] of moves) {
      for (const { step: to, mode } of list) {
        same(to);
        if (sealed.has(to.name)) {
          throw refuse(
            `event "${step.name}.${event}" leads back to "${to.name}". A workflow cannot have cycles`,
          );
        }
        open.add(to.name);
        if (mode !== "join") continue;
        const joined = sources.get(to.name);
        if (joined === undefined) sources.set(to.name, new Set([step.name]));
        else joined.add(step.name);
      }
    }
  }
  for (const name of open) throw refuse(`"${name}" has no transitions: add .on(${name}, ...)`);
  return graph(rows.map(({ step, moves }, index) => node(step, moves, index, sources)));
}

function node(
  step: StepDefinition,
  moves: WorkflowRow["moves"],
  index: number,
  sources: ReadonlyMap<string, ReadonlySet<string>>,
): GraphStep {
  const arrivals = [...moves].map(([event, list]) =>
    [event, list.map(({ step: { name }, mode }) => ({ to: name, mode }))] as const
  );
  return Object.freeze({
    name: step.name,
    kind: step.kind,
    index,
    moves: new Map(arrivals),
    sources: [...(sources.get(step.name) ?? [])],
    needs: step.needs.map(({ name }) => name),
    sees: step.sees.map(({ name }) => name),
    asynchronous: step.asynchronous,
  });
}
