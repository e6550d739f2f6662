import { anyFailures, type ItemPolicy } from "../each/counts.ts";
import type { Arrival, BackEdge, Graph, GraphStep, StepKind } from "./graph.ts";
import { replacements } from "./replacements.ts";

/** The properties of a step that a running instance depends on. */
export interface EncodedStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly asynchronous: boolean;
  /** Where each event leads, sorted by event and by step name. */
  readonly moves: Readonly<Record<string, readonly Arrival[]>>;
  /** The events that lead back, sorted; absent when there are none. */
  readonly loops?: Readonly<Record<string, BackEdge>>;
  /** The events that drop branches, sorted; absent when there are none. */
  readonly drops?: Readonly<Record<string, readonly string[]>>;
  /** The events that end the instance by undoing, sorted; absent when there are none. */
  readonly undoing?: readonly string[];
  /** The events that have something to undo, sorted; absent when there are none. */
  readonly undoable?: readonly string[];
  /** The outcomes that events return, sorted by event; absent when there are none. */
  readonly returns?: Readonly<Record<string, string>>;
  /** The name of the workflow that the step starts as its child; absent for other steps. */
  readonly child?: string;
  /** How a step over a list runs its items; absent for other steps. */
  readonly items?: ItemPolicy;
}

/**
 * Encodes everything in a graph that a running instance depends on as JSON text. Two graphs have
 * the same text if an instance continues on both in the same way.
 *
 * Steps are in row order, which decides how metadata is merged. Events and targets are sets. Needs
 * and sees are left out: `build()` proves them for every run of these moves, and every output is
 * stored.
 */
export function encodeGraph(graph: Graph): string {
  return JSON.stringify([...graph.steps.values()].map(encodeStep));
}

/** Parses the output of {@linkcode encodeGraph}. */
export function decodeGraph(text: string): readonly EncodedStep[] {
  return JSON.parse(text);
}

function encodeStep(step: GraphStep): EncodedStep {
  const { name, kind, asynchronous, moves, loops, drops, undoing, undoable, returns } = step;
  const { child, items } = step;
  const sorted = [...moves].sort(([a], [b]) => compare(a, b));
  return {
    name,
    kind,
    asynchronous,
    moves: Object.fromEntries(
      sorted.map(([event, to]) => [event, [...to].sort((a, b) => compare(a.to, b.to))]),
    ),
    ...(loops.size === 0 ? {} : {
      loops: Object.fromEntries([...loops].sort(([a], [b]) => compare(a, b))),
    }),
    ...(drops.size === 0 ? {} : {
      drops: Object.fromEntries(
        [...drops].sort(([a], [b]) => compare(a, b)).map(([event, to]) => [event, [...to].sort()]),
      ),
    }),
    ...(undoing.size === 0 ? {} : { undoing: [...undoing].sort() }),
    ...(undoable.size === 0 ? {} : { undoable: [...undoable].sort() }),
    ...(returns.size === 0 ? {} : {
      returns: Object.fromEntries([...returns].sort(([a], [b]) => compare(a, b))),
    }),
    ...(child === undefined ? {} : { child }),
    ...(items === undefined ? {} : { items }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Identifies the graph of one version of one workflow: an FNV-1a hash as a signed 64-bit number.
 */
export function fingerprint(workflow: string, version: number, graph: Graph): string {
  const text = JSON.stringify([workflow, version, encodeGraph(graph)]);
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  }
  return String(BigInt.asIntN(64, hash));
}

/**
 * Describes how a graph differs from the one that an instance started with, as parts of a sentence.
 * Both graphs are given as JSON text.
 */
export function graphChanges(began: string, now: string): readonly string[] {
  const [before, after] = [byName(began), byName(now)];
  const removed = [...before.values()].filter(({ name }) => !after.has(name));
  const added = [...after.values()].filter(({ name }) => !before.has(name));
  const kept = [...after.values()].flatMap((step) => {
    const old = before.get(step.name);
    return old === undefined ? [] : stepChanges(old, step, (to) => before.has(to) && after.has(to));
  });
  const replaced = replacements([...before.values()], [...after.values()]);
  const replacing = new Set(replaced.values());
  const changes = [
    ...removed.map(({ kind, name }) => {
      const by = replaced.get(name);
      return `${kind} "${name}" was ${by === undefined ? "removed" : `replaced by "${by}"`}`;
    }),
    ...added.filter(({ name }) => !replacing.has(name))
      .map(({ kind, name }) => `${kind} "${name}" was added`),
    ...kept,
  ];
  return changes.length > 0 ? changes : ["its rows are in a different order"];
}

function byName(text: string): ReadonlyMap<string, EncodedStep> {
  return new Map(decodeGraph(text).map((step) => [step.name, step]));
}

/** A target step that only one of the graphs has is already listed. */
function stepChanges(
  old: EncodedStep,
  step: EncodedStep,
  inBoth: (to: string) => boolean,
): readonly string[] {
  const { name } = step;
  const changes: string[] = [];
  if (old.kind !== step.kind) changes.push(`"${name}" is a ${step.kind} instead of a ${old.kind}`);
  else if (old.asynchronous !== step.asynchronous) {
    changes.push(`step "${name}" is ${step.asynchronous ? "" : "no longer "}asynchronous`);
  }
  if (old.child !== step.child) {
    changes.push(`step "${name}" starts ${started(step)} instead of ${started(old)} as its child`);
  }
  if (old.items !== undefined && step.items !== undefined) {
    const [was, is] = [old.items, step.items].map(runs);
    if (was !== is) changes.push(`each "${name}" runs ${is}, and ${was} before`);
  }
  const [before, after] = [movesOf(old), movesOf(step)];
  for (const [event, moves] of before) {
    const now = after.get(event);
    const [was, is] = [old.loops?.[event], step.loops?.[event]];
    if (now === undefined) changes.push(`event "${event}" of "${name}" was removed`);
    else if (JSON.stringify(was) !== JSON.stringify(is)) {
      changes.push(`event "${event}" of "${name}" ${ledBack(is)} and ${ledBack(was)} before`);
    } else if (dropped(old, event) !== dropped(step, event)) {
      changes.push(
        `event "${event}" of "${name}" drops ${dropped(step, event)} instead of ${
          dropped(old, event)
        }`,
      );
    } else if (old.returns?.[event] !== step.returns?.[event]) {
      changes.push(
        `event "${event}" of "${name}" returns ${outcome(step, event)} instead of ${
          outcome(old, event)
        }`,
      );
    } else if (
      targets(moves.filter(({ to }) => inBoth(to))) !==
        targets(now.filter(({ to }) => inBoth(to)))
    ) {
      changes.push(
        `event "${event}" of "${name}" leads to ${targets(now)} instead of ${targets(moves)}`,
      );
    }
    if (now !== undefined && undoes(old, event) !== undoes(step, event)) {
      changes.push(
        `event "${event}" of "${name}" ${
          undoes(step, event) ? "ends" : "no longer ends"
        } the instance by undoing`,
      );
    }
  }
  for (const event of after.keys()) {
    if (!before.has(event)) changes.push(`event "${event}" of "${name}" was added`);
  }
  const [had, has] = [old.undoable ?? [], step.undoable ?? []];
  for (const event of has) {
    if (!had.includes(event)) changes.push(`step "${name}" can be undone after "${event}"`);
  }
  for (const event of had) {
    if (!has.includes(event)) {
      changes.push(`step "${name}" can no longer be undone after "${event}"`);
    }
  }
  return changes;
}

function started({ child }: EncodedStep): string {
  return child === undefined ? "nothing" : `"${child}"`;
}

function runs({ limit, failures }: ItemPolicy): string {
  return `${limit} items at once of which ${failures === anyFailures ? "any" : failures} may fail`;
}

function undoes({ undoing }: EncodedStep, event: string): boolean {
  return undoing?.includes(event) === true;
}

function dropped({ drops }: EncodedStep, event: string): string {
  return drops?.[event]?.map((to) => `"${to}"`).join(" and ") ?? "nothing";
}

function outcome({ returns }: EncodedStep, event: string): string {
  const name = returns?.[event];
  return name === undefined ? "nothing" : `"${name}"`;
}

function ledBack(loop: BackEdge | undefined): string {
  if (loop === undefined) return "does not lead back";
  const end = loop.ends ? ", then the instance fails" : "";
  return `leads back to "${loop.to}" (limit ${loop.limit}${end})`;
}

function movesOf({ moves }: EncodedStep): ReadonlyMap<string, readonly Arrival[]> {
  return new Map(Object.entries(moves));
}

function targets(moves: readonly Arrival[]): string {
  if (moves.length === 0) return "done";
  return moves.map(({ to, mode }) => mode === "plain" ? `"${to}"` : `${mode} "${to}"`).join(
    " and ",
  );
}
