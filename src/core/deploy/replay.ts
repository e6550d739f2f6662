import { type Activation, activationKey } from "../engine/activation.ts";
import { advance, open } from "../engine/engine.ts";
import { byRevision } from "../engine/by_hand/fold.ts";
import type { Control } from "../engine/instance.ts";
import { DROPPED, LATER, type Progress, type StepEnding } from "../engine/progress.ts";
import type { Graph } from "../graph/graph.ts";

/** A result that an instance has applied. */
export interface AppliedResult extends StepEnding {
  /** The revision of the instance that applied it. */
  readonly revision: number;
  /** The keys of the activations that started the step, or the one that dropped it. */
  readonly causes: readonly string[];
}

/** Where an instance would be, or why its history is not one of the graph. */
export type Replayed =
  | { readonly control: Control; readonly reason?: never }
  | { readonly reason: string };

/** A choice that the history does not know would have decided. */
class UnknownChoice extends Error {}

/**
 * Runs an instance again on a graph, with the results that it has applied, turn by turn. It is
 * where the graph would have brought it only if the graph applies every result, for the same
 * causes, and drops the same activations. `of` names the graph in the reason.
 */
export function replay(graph: Graph, history: readonly AppliedResult[], of: string): Replayed {
  for (const { step, event } of history) {
    const known = graph.steps.get(step);
    if (known === undefined) return { reason: `"${step}" has ended, which ${of} does not have` };
    if (event === DROPPED || event === LATER || known.moves.has(event)) continue;
    return { reason: `"${step}" has ended with "${event}", which ${of} does not have` };
  }
  const ended = new Map(
    history.filter(({ event }) => event !== LATER).map((one) => [activationKey(one), one]),
  );
  const decide = (choice: Activation) => {
    const known = ended.get(activationKey(choice));
    if (known === undefined || known.event === DROPPED) throw new UnknownChoice(choice.step);
    return known;
  };
  const turns: Progress[] = [open(graph, decide)];
  for (const [, endings] of byRevision(given(graph, history))) {
    const { control, failed } = turns.at(-1)!;
    if (failed !== undefined || control.active.size === 0) break;
    turns.push(advance(graph, control, endings, decide));
  }
  const reason = failedIn(turns, of) ?? differsIn(turns, history, of);
  return reason === undefined ? { control: turns.at(-1)!.control } : { reason };
}

/** What the turns were given. Choices are asked, and a drop follows from what drops. */
function given(graph: Graph, history: readonly AppliedResult[]): readonly AppliedResult[] {
  return history.filter(({ step, event }) =>
    event !== DROPPED && graph.steps.get(step)?.kind !== "choice"
  );
}

function failedIn(turns: readonly Progress[], of: string): string | undefined {
  const { failed } = turns.at(-1)!;
  if (failed === undefined) return undefined;
  return failed.thrown instanceof UnknownChoice
    ? `choice "${failed.step}" would have decided already in ${of}`
    : `it would have failed at "${failed.step}" in ${of}`;
}

function differsIn(
  turns: readonly Progress[],
  history: readonly AppliedResult[],
  of: string,
): string | undefined {
  const applied = new Map<string, string>();
  for (const { applied: endings, withdrawn } of turns) {
    for (const { ending, causes } of endings) applied.set(keyOf(ending), causesText(causes));
    for (const one of withdrawn) applied.set(keyOf({ ...one, event: DROPPED }), one.cause);
  }
  for (const one of history) {
    const causes = applied.get(keyOf(one));
    applied.delete(keyOf(one));
    const was = one.event === DROPPED ? "was dropped" : "has ended";
    const there = activationKey(one);
    if (causes === undefined) return `"${there}" ${was}, which it would not have in ${of}`;
    if (causes === causesText(one.causes)) continue;
    return `"${there}" ${was} after ${
      one.causes.join(" and ")
    }, and not after ${causes} as in ${of}`;
  }
  const [more] = applied.keys();
  return more && `"${more.split(" ")[0]}" would have ended already in ${of}`;
}

/** A wait that has begun is a result beside that of its end. */
function keyOf({ event, ...activation }: Activation & Pick<StepEnding, "event">): string {
  return `${activationKey(activation)} ${event === LATER || event === DROPPED ? event : ""}`;
}

function causesText(causes: readonly string[]): string {
  return [...causes].sort().join(" and ");
}
