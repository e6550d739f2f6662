import { eachAt, isItem } from "../../each/items.ts";
import { isOfActiveList, withEnded } from "../../each/unread.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Activation, activationBy, activationKey } from "../activation.ts";
import { causesOf, emptyControl } from "../control.ts";
import { advance, goOn, open } from "../engine.ts";
import type { ActiveStep, Control, HistoryEntry } from "../instance.ts";
import {
  type AppliedEnding,
  type Decide,
  DROPPED,
  FAILED,
  FORKED,
  isByHand,
  ITEMS,
  type Progress,
  RETRIED,
  type StepEnding,
} from "../progress.ts";
import { forkedFrom } from "./forked.ts";
import { startedAgain } from "./restart.ts";
import { type Past, takeBack } from "./taken_back.ts";

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

/** What the row of a rewind says. */
export interface Rewound extends Retried {
  /** What was rewound to: `"charge"` for the first activation of `charge`. */
  readonly to: string;
  /** What does not count any more, `to` among it. */
  readonly takenBack: readonly string[];
}

/** What the row of a fork says. */
export interface Forked extends Retried {
  /** What was forked from: `"charge"` for the first activation of `charge`. */
  readonly to: string;
  /** The instance that its results were taken over from. */
  readonly from: { readonly id: string; readonly key: string };
}

/** What a history tells of its instance. */
export interface Folded extends Past {
  /** The last turn. */
  readonly progress: Progress;
  /** All that has ended, also what has failed or was taken back since. */
  readonly all: readonly AppliedEnding[];
  /** What was started again and kept an idempotency key: the activation that had it first. */
  readonly keys: ReadonlyMap<string, number>;
}

/**
 * Computes the state of an instance from its history, by applying its recorded results turn by
 * turn. Failures are left out: the steps that have failed are active. So are choices that have not
 * decided.
 */
export function fold(graph: Graph, history: readonly FoldedEntry[]): Folded {
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
  const turns = byRevision(history);
  const forked = turns.findIndex(([, turn]) => turn.some(({ event }) => event === FORKED));
  const copied = turns.slice(0, Math.max(0, forked)).flatMap(([, turn]) => turn.filter(isEnding));
  const told = new Told(graph, copied.map((ending) => ({ ending })));
  if (forked < 0) told.add(open(graph, decide));
  for (const [revision, turn] of turns.slice(Math.max(0, forked))) {
    if (forked < 0 && revision === 1) continue;
    now = revision;
    const act = turn.find(isByHand);
    const endings = turn.filter((one) => !isDecided(one) && isEnding(one));
    if (act === undefined) told.add(advance(graph, told.control, endings, decide));
    else {
      told.count(endings.filter((one) => isOfActiveList(told.control, one)));
      const given = endings.filter(({ step }) => !isItem(step));
      told.add(goOn(graph, told.begin(act), startedBy(act), given, decide));
    }
    told.fail(turn.filter(({ event }) => event === FAILED));
  }
  return told.folded();
}

function byActivation(entries: readonly FoldedEntry[]): ReadonlyMap<string, FoldedEntry> {
  return new Map(entries.map((one) => [activationKey(one), one]));
}

/** An instance while its history is read. */
class Told {
  readonly #graph: Graph;
  #progress: Progress | undefined;
  #applied: AppliedEnding[] = [];
  readonly #all: AppliedEnding[] = [];
  readonly #cutOff = new Map<string, ActiveStep>();
  readonly #keys = new Map<string, number>();
  readonly #copied: readonly Pick<AppliedEnding, "ending">[];

  constructor(graph: Graph, copied: readonly Pick<AppliedEnding, "ending">[]) {
    this.#graph = graph;
    this.#copied = copied;
  }

  get control(): Control {
    return this.#progress?.control ?? emptyControl;
  }

  /** The control in which what a person has started again begins. */
  begin(act: FoldedEntry): Control {
    const control = this.#begun(act);
    for (const one of startedBy(act)) {
      const keyOf = control.active.get(one.step)?.keyOf;
      if (keyOf !== undefined) this.#keys.set(activationKey(one), keyOf);
    }
    return control;
  }

  #begun(act: FoldedEntry): Control {
    const graph = this.#graph;
    const started = startedBy(act);
    if (act.event === RETRIED) return startedAgain(graph, this.control, started);
    const to = activationBy((act.output as Rewound | Forked).to);
    if (act.event === FORKED) {
      const { control, applied } = forkedFrom(graph, this.#copied, to.step);
      this.#applied = [...applied];
      this.#all.push(...applied);
      return startedAgain(graph, control, started, new Set(control.active.keys()));
    }
    const back = takeBack(graph, this.control, this, to);
    if (back === undefined) throw new TypeError(`Cannot fold: "${to.step}" is not active`);
    this.#applied = [...back.applied];
    return startedAgain(graph, back.control, started, back.fresh);
  }

  get applied(): readonly AppliedEnding[] {
    return this.#applied;
  }

  get cutOff(): ReadonlyMap<string, ActiveStep> {
    return this.#cutOff;
  }

  /** Counts items whose results no turn had applied when the instance failed. */
  count(items: readonly StepEnding[]): void {
    if (this.#progress === undefined || items.length === 0) return;
    for (const ending of items) {
      const causes = causesOf(this.#graph, this.control, eachAt(ending).step);
      this.#applied.push({ ending, causes, decided: false });
      this.#all.push({ ending, causes, decided: false });
    }
    this.#progress = { ...this.#progress, control: withEnded(this.control, items) };
  }

  /** Adds a turn. */
  add(progress: Progress): void {
    const { active } = this.control;
    const { applied, withdrawn, failed } = progress;
    const cut = failed === undefined ? withdrawn : [...active].map(([step]) => ({ step }));
    for (const { step } of cut) {
      const entry = active.get(step);
      if (entry !== undefined) this.#cutOff.set(step, entry);
    }
    for (const { ending } of applied) this.#cutOff.delete(ending.step);
    this.#applied.push(...applied);
    this.#all.push(...applied);
    this.#progress = progress;
  }

  /** Adds failures, which lead nowhere. */
  fail(failed: readonly FoldedEntry[]): void {
    for (const { step, activation, event, output, metadata } of failed) {
      const causes = causesOf(this.#graph, this.control, step);
      const ending = { step, activation, event, output, metadata };
      this.#all.push({ ending, causes, decided: false });
    }
  }

  folded(): Folded {
    const { applied, cutOff } = this;
    return { progress: this.#progress!, applied, cutOff, all: this.#all, keys: this.#keys };
  }
}

function startedBy({ output }: FoldedEntry): readonly Activation[] {
  return (output as Retried).restarted.map(activationBy);
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
  return entry.event !== FAILED && entry.event !== DROPPED && !isByHand(entry);
}
