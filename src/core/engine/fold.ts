import type { Graph } from "../graph/graph.ts";
import { activationBy, activationKey } from "./activation.ts";
import { advance, open, restart } from "./engine.ts";
import type { HistoryEntry } from "./instance.ts";
import {
  byHand,
  type Decide,
  DROPPED,
  FAILED,
  ITEMS,
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
 * Computes the state of an instance from its history, by applying its recorded results turn by turn.
 * Failures are left out: the steps that have failed are active. So are choices that have not
 * decided.
 */
export function fold(graph: Graph, history: readonly FoldedEntry[]): Progress {
  const isDecided = ({ step }: FoldedEntry) => {
    const kind = graph.steps.get(step)?.kind;
    return kind === "choice" || kind === "each";
  };
  const made = history.filter((one) => isDecided(one) && one.event !== FAILED);
  const isListed = ({ event }: FoldedEntry) => event === ITEMS;
  const decisions = byActivation(made.filter((one) => !isListed(one)));
  const lists = byActivation(made.filter(isListed));
  let now = 1;
  // A choice that threw at first has decided in a later turn.
  const decide: Decide = (one, _, end) => {
    const begins = end === undefined && graph.steps.get(one.step)?.kind === "each";
    const decided = (begins ? lists : decisions).get(activationKey(one));
    return decided?.revision === now ? decided : undefined;
  };
  let progress = open(graph, decide);
  for (const [revision, turn] of byRevision(history)) {
    if (revision === 1) continue;
    now = revision;
    const { control } = progress;
    const act = turn.find(({ step }) => step === byHand);
    progress = act === undefined
      ? advance(graph, control, turn.filter((one) => !isDecided(one) && isEnding(one)), decide)
      : restart(graph, control, (act.output as Retried).restarted.map(activationBy), decide);
  }
  return progress;
}

function byActivation(entries: readonly FoldedEntry[]): ReadonlyMap<string, FoldedEntry> {
  return new Map(entries.map((one) => [activationKey(one), one]));
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
