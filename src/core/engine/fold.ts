import type { Graph } from "../graph/graph.ts";
import { activationBy, activationKey } from "./activation.ts";
import { advance, open, restart } from "./engine.ts";
import type { HistoryEntry } from "./instance.ts";
import {
  byHand,
  type Decide,
  DROPPED,
  FAILED,
  type Progress,
  type StepEnding,
} from "./progress.ts";

/** What the fold reads of a result. */
export type FoldedEntry = Pick<
  HistoryEntry,
  "step" | "activation" | "event" | "output" | "metadata" | "revision"
>;

/** What the row of a retry says. */
export interface Retried {
  /** Who asked for it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
  /** What was started again: `"charge#2"` for the second activation of `charge`. */
  readonly restarted: readonly string[];
}

/**
 * Computes the state of an instance from its history, by applying its recorded results turn by
 * turn. Failures are left out: the steps that have failed are active. So are choices that have not
 * decided.
 */
export function fold(graph: Graph, history: readonly FoldedEntry[]): Progress {
  const isChoice = ({ step }: FoldedEntry) => graph.steps.get(step)?.kind === "choice";
  const decisions = new Map(history.filter(isChoice).map((one) => [activationKey(one), one]));
  let now = 1;
  // A choice that threw at first has decided in a later turn.
  const decide: Decide = (choice) => {
    const decided = decisions.get(activationKey(choice));
    return decided?.revision === now ? decided : undefined;
  };
  let progress = open(graph, decide);
  for (const [revision, turn] of byRevision(history)) {
    if (revision === 1) continue;
    now = revision;
    const { control } = progress;
    const act = turn.find(({ step }) => step === byHand);
    progress = act === undefined
      ? advance(graph, control, turn.filter((one) => !isChoice(one) && isEnding(one)), decide)
      : restart(graph, control, (act.output as Retried).restarted.map(activationBy), decide);
  }
  return progress;
}

/** Results by the revision of the instance that applied them, the oldest first. */
export function byRevision<E extends Pick<FoldedEntry, "revision">>(
  history: readonly E[],
): readonly (readonly [revision: number, entries: readonly E[]])[] {
  const turns = new Map<number, E[]>();
  for (const entry of history) {
    if (entry.revision === undefined) continue;
    const turn = turns.get(entry.revision);
    if (turn === undefined) turns.set(entry.revision, [entry]);
    else turn.push(entry);
  }
  return [...turns].sort(([a], [b]) => a - b);
}

function isEnding(entry: FoldedEntry): entry is FoldedEntry & StepEnding {
  return entry.event !== FAILED && entry.event !== DROPPED;
}
