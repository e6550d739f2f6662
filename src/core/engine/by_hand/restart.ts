import { type Graph, reachable } from "../../graph/graph.ts";
import type { Activation } from "../activation.ts";
import { nextActivation } from "../control.ts";
import { goOn } from "../engine.ts";
import type { Control } from "../instance.ts";
import type { Decide, Progress } from "../progress.ts";

const nothing: ReadonlySet<string> = new Set();

/** Starts active steps again under these activations; choices among them decide again. */
export function restart(
  graph: Graph,
  control: Control,
  steps: readonly Activation[],
  decide: Decide,
): Progress {
  return goOn(graph, startedAgain(graph, control, steps), steps, [], decide);
}

/**
 * The control in which active steps start again under these activations. They keep their
 * idempotency keys, except for those in `fresh`.
 */
export function startedAgain(
  graph: Graph,
  control: Control,
  steps: readonly Activation[],
  fresh: ReadonlySet<string> = nothing,
): Control {
  const active = new Map(control.active);
  const restarted = new Map(control.restarted);
  const later = new Set(control.later);
  for (const { step, activation } of steps) {
    const { cause, keyOf, activation: before } = active.get(step)!;
    if (before === activation) continue;
    const raised = activation - nextActivation(graph, { rounds: control.rounds, restarted }, step);
    if (raised > 0) restarted.set(step, (restarted.get(step) ?? 0) + raised);
    later.delete(step);
    const isFresh = fresh.has(step);
    active.set(
      step,
      isFresh ? { activation, cause } : { activation, cause, keyOf: keyOf ?? before },
    );
  }
  return { ...control, active, restarted, later };
}

/** The steps that can come after a step, also by way of loops, and the step itself. */
export function reach({ steps }: Pick<Graph, "steps">, step: string): ReadonlySet<string> {
  const next = new Map<string, readonly string[]>();
  for (const { name, moves, loops } of steps.values()) {
    const targets = [...moves.values()].flat().map(({ to }) => to);
    next.set(name, [...targets, ...[...loops.values()].map(({ to }) => to)]);
  }
  return reachable(step, next);
}

/** The activations of these steps that have not been used by any of `used`, in the same order. */
export function unused(
  graph: Graph,
  control: Control,
  steps: readonly string[],
  used: readonly Activation[],
): readonly Activation[] {
  return steps.map((step) => {
    const numbers = used.filter((one) => one.step === step).map(({ activation }) => activation);
    const last = Math.max(0, ...numbers, control.active.get(step)?.activation ?? 0);
    return { step, activation: Math.max(last + 1, nextActivation(graph, control, step)) };
  });
}
