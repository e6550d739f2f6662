import { type DrawnStep, readDrawn } from "./fingerprint.ts";
import type { Arrival } from "./graph.ts";

/**
 * What is different in a graph from the one that an instance began with, as parts of a sentence.
 * Both as JSON text.
 */
export function graphChanges(began: string, now: string): readonly string[] {
  const [before, after] = [byName(began), byName(now)];
  const gone = [...before.values()].filter(({ name }) => !after.has(name));
  const added = [...after.values()].filter(({ name }) => !before.has(name));
  const kept = [...after.values()].flatMap((step) => {
    const old = before.get(step.name);
    return old === undefined ? [] : stepChanges(old, step, (to) => before.has(to) && after.has(to));
  });
  const changes = [
    ...gone.map(({ kind, name }) => `${kind} "${name}" is gone`),
    ...added.map(({ kind, name }) => `${kind} "${name}" is new`),
    ...kept,
  ];
  return changes.length > 0 ? changes : ["its rows stand in another order"];
}

function byName(text: string): ReadonlyMap<string, DrawnStep> {
  return new Map(readDrawn(text).map((step) => [step.name, step]));
}

/** Targets that only one of the graphs has are named already. */
function stepChanges(
  old: DrawnStep,
  step: DrawnStep,
  inBoth: (to: string) => boolean,
): readonly string[] {
  const { name } = step;
  const changes: string[] = [];
  if (old.kind !== step.kind) changes.push(`"${name}" is a ${step.kind} instead of a ${old.kind}`);
  else if (old.asynchronous !== step.asynchronous) {
    changes.push(`step "${name}" is ${step.asynchronous ? "" : "no longer "}asynchronous`);
  }
  const [before, after] = [movesOf(old), movesOf(step)];
  for (const [event, moves] of before) {
    const now = after.get(event);
    if (now === undefined) changes.push(`event "${event}" of "${name}" is gone`);
    else if (
      targets(moves.filter(({ to }) => inBoth(to))) !==
        targets(now.filter(({ to }) => inBoth(to)))
    ) {
      changes.push(
        `event "${event}" of "${name}" leads to ${targets(now)} instead of ${targets(moves)}`,
      );
    }
  }
  for (const event of after.keys()) {
    if (!before.has(event)) changes.push(`event "${event}" of "${name}" is new`);
  }
  return changes;
}

function movesOf({ moves }: DrawnStep): ReadonlyMap<string, readonly Arrival[]> {
  return new Map(Object.entries(moves));
}

function targets(moves: readonly Arrival[]): string {
  if (moves.length === 0) return "done";
  return moves.map(({ to, mode }) => mode === "plain" ? `"${to}"` : `${mode} "${to}"`).join(
    " and ",
  );
}
