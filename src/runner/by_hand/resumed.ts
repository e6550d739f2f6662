import type { ResultKey } from "../../backend/turn.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { activationOf, isActive, isDropped, nextActivation } from "../../core/engine/control.ts";
import type { Control, HistoryEntry } from "../../core/engine/instance.ts";
import { FAILED, LATER } from "../../core/engine/progress.ts";
import type { Graph } from "../../core/graph/graph.ts";

/** What starts again, what goes on waiting, and the results that will be read after all. */
export interface Resumed {
  readonly restarts: readonly Activation[];
  readonly waits: readonly Activation[];
  readonly unread: readonly ResultKey[];
}

/**
 * What ran starts again under another activation, so that what its earlier attempt still says is
 * not taken for its result. What waits goes on under its own: links that were sent out stay valid.
 * A child was cancelled with its step, so its step starts again too.
 */
export function resumed(graph: Graph, control: Control, history: readonly HistoryEntry[]): Resumed {
  const unread = history.filter((entry) => isAhead(graph, control, entry))
    .map(({ step, activation, event }) => ({ step, activation, waits: event === LATER }));
  const there = new Set(unread.map(activationKey));
  const restarts: Activation[] = [];
  const waits: Activation[] = [];
  for (const [step, { activation }] of control.active) {
    const { kind, child } = graph.steps.get(step) ?? {};
    if (there.has(activationKey({ step, activation }))) continue;
    if (kind === "choice") restarts.push({ step, activation });
    else if (kind === "signal" || (child === undefined && control.later.has(step))) {
      waits.push({ step, activation });
    } else {
      const used = history.filter((entry) => entry.step === step).map((entry) => entry.activation);
      restarts.push({ step, activation: Math.max(activation, ...used) + 1 });
    }
  }
  return { restarts, waits, unread };
}

/** Whether a result that was not applied is one that the instance can still apply. */
function isAhead(graph: Graph, control: Control, entry: HistoryEntry): boolean {
  const { step, activation, event, revision } = entry;
  const definition = graph.steps.get(step);
  if (revision !== undefined || definition === undefined || event === FAILED) return false;
  if (isActive(control, entry)) {
    return event === LATER ? !control.later.has(step) : definition.moves.has(event);
  }
  return definition.moves.has(event) && !isDropped(graph, control, step) &&
    activation >= Math.max(activationOf(control, step), nextActivation(graph, control, step));
}
