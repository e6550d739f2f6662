import type { ItemCounts } from "../each/counts.ts";
import type { Graph } from "../graph/graph.ts";
import type { JsonObject } from "../value/json.ts";
import {
  type Activation,
  activationBy,
  activationKey,
  firstActivation,
  stepOf,
} from "./activation.ts";
import { causesOf, emptyControl, isActive } from "./control.ts";
import type {
  ActiveStep,
  Control,
  ReturnedEnding,
  Rounds,
  UndoOn,
  UndoReason,
} from "./instance.ts";

const none: readonly never[] = [];

/**
 * A mutable copy of a control. Each collection is copied at its first write, because most turns
 * leave most collections unchanged.
 */
export class ControlDraft {
  readonly active: Map<string, ActiveStep>;
  readonly #before: Control;
  #activations: Map<string, number> | undefined;
  #rounds: Map<string, Rounds> | undefined;
  #arrived: Map<string, number> | undefined;
  #begun: Set<string> | undefined;
  #dropped: Set<string> | undefined;
  #later: Set<string> | undefined;
  #early: Set<string> | undefined;
  #each: Map<string, ItemCounts> | undefined;
  #metadata: Map<string, JsonObject> | undefined;
  #past: Map<string, readonly string[]> | undefined;
  /** Why the instance undoes. */
  undo: UndoReason | undefined;
  #returned: ReturnedEnding | undefined;

  constructor(before: Control) {
    this.#before = before;
    this.#returned = before.returned;
    this.active = new Map(before.active);
    this.undo = before.undo;
  }

  get undoOn(): ReadonlySet<UndoOn> {
    return this.#before.undoOn;
  }

  /** Counts an arrival at a join. Returns the number of arrivals so far. */
  arrive(join: string): number {
    const arrived = ((this.#arrived ?? this.#before.arrived).get(join) ?? 0) + 1;
    (this.#arrived ??= new Map(this.#before.arrived)).set(join, arrived);
    return arrived;
  }

  /** Drops the arrival count of a join that starts. */
  close(join: string): void {
    this.#arrived?.delete(join);
  }

  /** Records that `first` started a step. Returns false when it had already started it. */
  begin(step: string): boolean {
    if ((this.#begun ?? this.#before.begun).has(step)) return false;
    (this.#begun ??= new Set(this.#before.begun)).add(step);
    return true;
  }

  /** Records that an asynchronous step waits for a delivery. */
  wait(step: string): void {
    (this.#later ??= new Set(this.#before.later)).add(step);
  }

  get each(): ReadonlyMap<string, ItemCounts> {
    return this.#each ?? this.#before.each;
  }

  /** Sets the counts of the items of an active step. */
  count(step: string, counts: ItemCounts): void {
    (this.#each ??= new Map(this.#before.each)).set(step, counts);
  }

  get activations(): ReadonlyMap<string, number> {
    return this.#activations ?? this.#before.activations;
  }

  get rounds(): ReadonlyMap<string, Rounds> {
    return this.#rounds ?? this.#before.rounds;
  }

  get restarted(): ReadonlyMap<string, number> {
    return this.#before.restarted;
  }

  /**
   * Begins another round of the steps in `body`, at `head`. Forgets what this round has left
   * behind: arrivals at joins, starts by `first`, and the rounds of inner loops. `head` itself
   * stays started: later arrivals from above the loop are still ignored.
   */
  goBack(head: string, body: ReadonlySet<string>): void {
    const rounds = this.#rounds ??= new Map(this.#before.rounds);
    for (const [inner, { total }] of rounds) {
      if (inner !== head && body.has(inner)) rounds.set(inner, { total, since: 0 });
    }
    const { total = 0, since = 0 } = rounds.get(head) ?? {};
    rounds.set(head, { total: total + 1, since: since + 1 });
    this.#forgetArrivals(body);
    for (const step of [...(this.#begun ?? this.#before.begun)]) {
      if (step === head || !body.has(step)) continue;
      (this.#begun ??= new Set(this.#before.begun)).delete(step);
    }
    if (body.has(this.#returned?.step ?? "")) this.#returned = undefined;
    for (const first of this.dropped) {
      if (body.has(first)) (this.#dropped ??= new Set(this.dropped)).delete(first);
    }
  }

  get dropped(): ReadonlySet<string> {
    return this.#dropped ?? this.#before.dropped;
  }

  /** Takes out deliveries that were kept for an activation which will not start any more. */
  takeOverdue(isOverdue: (one: Activation) => boolean): readonly Activation[] {
    const overdue: Activation[] = [];
    for (const key of this.#early ?? this.#before.early) {
      const kept = activationBy(key);
      if (isActive(this, kept) || !isOverdue(kept)) continue;
      (this.#early ??= new Set(this.#before.early)).delete(key);
      overdue.push(kept);
    }
    return overdue;
  }

  /** Records that a delivery arrived before its wait. */
  keep(activation: Activation): void {
    if (this.isEarly(activation)) return;
    (this.#early ??= new Set(this.#before.early)).add(activationKey(activation));
  }

  isEarly(activation: Activation): boolean {
    const early = this.#early ?? this.#before.early;
    return early.size > 0 && early.has(activationKey(activation));
  }

  /** Ends the active steps of a branch without a result, and forgets arrivals at its joins. */
  drop(first: string, branch: ReadonlySet<string>): readonly Activation[] {
    this.#forgetArrivals(branch);
    (this.#dropped ??= new Set(this.#before.dropped)).add(first);
    return this.withdraw((step) => branch.has(step));
  }

  /** Ends active steps without a result. */
  withdraw(isMeant: (step: string) => boolean): readonly Activation[] {
    const withdrawn: Activation[] = [];
    for (const [step, { activation }] of this.active) {
      if (isMeant(step)) withdrawn.push({ step, activation });
    }
    for (const one of withdrawn) this.leave(one);
    return withdrawn;
  }

  #forgetArrivals(steps: ReadonlySet<string>): void {
    for (const join of [...(this.#arrived ?? this.#before.arrived).keys()]) {
      if (steps.has(join)) (this.#arrived ??= new Map(this.#before.arrived)).delete(join);
    }
  }

  /** Ends an active step. */
  leave({ step, activation }: Activation): void {
    this.active.delete(step);
    if (activation !== firstActivation) {
      (this.#activations ??= new Map(this.#before.activations)).set(step, activation);
    }
    if ((this.#later ?? this.#before.later).has(step)) {
      (this.#later ??= new Set(this.#before.later)).delete(step);
    }
    if (this.each.has(step)) (this.#each ??= new Map(this.#before.each)).delete(step);
  }

  /** Ends an activation that `causes` started, and records what it adds to the metadata. */
  end(
    ended: Activation,
    metadata: JsonObject | undefined,
    causes: readonly string[],
  ): void {
    const { step } = ended;
    this.leave(ended);
    if (this.isEarly(ended)) {
      (this.#early ??= new Set(this.#before.early)).delete(activationKey(ended));
    }
    if (metadata !== undefined) {
      (this.#metadata ??= new Map(this.#before.metadata)).set(step, metadata);
    }
    const past = this.#pastOf(causes, metadata === undefined ? undefined : step);
    if (past.length > 0) (this.#past ??= new Map(this.#before.past)).set(step, past);
  }

  /** The steps behind these causes that have added to the metadata, plus `one`. */
  #pastOf(causes: readonly string[], one: string | undefined): readonly string[] {
    const past = this.#past ?? this.#before.past;
    if (past.size === 0) return one === undefined ? none : [one];
    const all = new Set(causes.flatMap((cause) => past.get(stepOf(cause)) ?? none));
    if (one !== undefined) all.add(one);
    return [...all];
  }

  /** Records what the instance returns. A new round of a loop around the step takes it back. */
  return({ step, activation }: Activation, outcome: string): void {
    this.#returned = { outcome, step, activation };
  }

  /** Drops the past of steps that cannot start anything any more. */
  forget(graph: Graph): void {
    const past = this.#past ?? this.#before.past;
    if (past.size === 0) return;
    const needed = new Set<string>();
    for (const step of this.active.keys()) {
      for (const cause of causesOf(graph, this, step)) needed.add(stepOf(cause));
    }
    for (const join of (this.#arrived ?? this.#before.arrived).keys()) {
      for (const name of graph.sources(join)) needed.add(name);
    }
    this.#past = new Map([...past].filter(([step]) => needed.has(step)));
  }

  /** The resulting control. */
  done(): Control {
    return {
      active: this.active,
      activations: this.activations,
      rounds: this.rounds,
      restarted: this.restarted,
      arrived: this.#arrived ?? this.#before.arrived,
      begun: this.#begun ?? this.#before.begun,
      dropped: this.dropped,
      later: this.#later ?? this.#before.later,
      early: this.#early ?? this.#before.early,
      each: this.each,
      metadata: this.#metadata ?? this.#before.metadata,
      past: this.#past ?? this.#before.past,
      undoOn: this.undoOn,
      undo: this.undo,
      returned: this.#returned,
      parent: this.#before.parent,
    };
  }

  /** The control of an instance that has ended. */
  over(): Control {
    return over(this.done());
  }
}

/**
 * The control of an instance that has ended. It keeps the metadata that was added, the numbers of
 * activations and rounds, what is returned, and why it was undone.
 */
export function over(
  { activations, rounds, restarted, metadata, returned, undoOn, undo, parent }: Control,
): Control {
  const kept = { activations, rounds, restarted, metadata, returned, undoOn, undo, parent };
  return { ...emptyControl, ...kept };
}
