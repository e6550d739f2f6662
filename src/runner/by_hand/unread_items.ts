import type { InstanceState } from "../../backend/store.ts";
import type { Processed } from "../../backend/turn.ts";
import { eachAt } from "../../core/each/items.ts";
import { isOfActiveList, withEnded } from "../../core/each/unread.ts";
import type { Folded } from "../../core/engine/by_hand/fold.ts";
import { causesOf } from "../../core/engine/control.ts";
import type { Control, HistoryEntry } from "../../core/engine/instance.ts";
import type { Graph } from "../../core/graph/graph.ts";
import { processed } from "../turn/rows.ts";

/** An instance that has failed, with the items whose results no turn has applied. */
export interface WithItems {
  readonly control: Control;
  readonly applied: Folded["applied"];
  /** The history as it will be with the turn of the act. */
  readonly history: readonly HistoryEntry[];
  /** The results of these items, for the turn of the act. */
  readonly read: readonly Processed[];
}

/** Counts the items that had ended when an instance failed, and whose results were not applied. */
export function counting(
  graph: Graph,
  control: Control,
  applied: Folded["applied"],
  { revision }: Pick<InstanceState, "revision">,
  history: readonly HistoryEntry[],
): WithItems {
  const items = new Set(
    history.filter((one) => one.revision === undefined && isOfActiveList(control, one)),
  );
  const causes = (one: HistoryEntry) => causesOf(graph, control, eachAt(one).step);
  return {
    control: withEnded(control, [...items]),
    applied: [
      ...applied,
      ...[...items].map((ending) => ({ ending, causes: causes(ending), decided: false })),
    ],
    history: history.map((one) => items.has(one) ? { ...one, revision: revision + 1 } : one),
    read: [...items].map((one) => processed(one, false, causes(one))),
  };
}
