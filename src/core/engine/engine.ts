import { roundsUsedUp, undeclaredEvent } from "../errors/step.ts";
import { type BackEdge, type Graph, inRowOrder } from "../graph/graph.ts";
import { type Activation, activationKey } from "./activation.ts";
import { ignored, keptIn } from "./cancel.ts";
import { causesOf } from "./causes.ts";
import { activationOf, emptyControl, isActive, isDropped, nextActivation } from "./control.ts";
import { ControlDraft } from "./draft.ts";
import { filtered } from "./filtered.ts";
import type { Control } from "./instance.ts";
import {
  type AppliedEnding,
  type Decide,
  FAILED,
  type Ignored,
  type InstanceFailure,
  LATER,
  type Progress,
  type StepEnding,
  type Withdrawn,
} from "./progress.ts";
import { statusOf } from "./status.ts";

/** Starts an instance. */
export function open(graph: Graph, decide: Decide): Progress {
  return new TurnBuilder(graph, emptyControl, decide).run([], true);
}

/**
 * Applies the results of steps to an instance.
 *
 * The order of the results does not matter: a result is kept until its step is active, and a join
 * counts the steps that have arrived.
 */
export function advance(
  graph: Graph,
  control: Control,
  endings: readonly StepEnding[],
  decide: Decide,
): Progress {
  return new TurnBuilder(graph, control, decide).run(endings, false);
}

/** Starts active steps again under these activations; choices among them decide again. */
export function restart(
  graph: Graph,
  control: Control,
  steps: readonly Activation[],
  decide: Decide,
): Progress {
  return new TurnBuilder(graph, control, decide).restart(steps);
}

const none: readonly never[] = [];

/** Computes one turn of one instance: the mutable part of {@linkcode advance}. */
class TurnBuilder {
  readonly #graph: Graph;
  readonly #decide: Decide;
  readonly #before: Control;
  readonly #draft: ControlDraft;
  /** Results whose step is not active yet. */
  #unread: Map<string, StepEnding> | undefined;
  readonly #ready: StepEnding[] = [];
  readonly #applied: AppliedEnding[] = [];
  readonly #started: Activation[] = [];
  readonly #waiting: Activation[] = [];
  readonly #withdrawn: Withdrawn[] = [];
  /** Choices that have started and have not decided. */
  readonly #undecided: Activation[] = [];
  /**
   * Results that came too late: the activation has already ended or was dropped, or a delivery had
   * already ended the wait that an asynchronous step reports.
   */
  readonly #late: StepEnding[] = [];
  /** Deliveries that were kept for a round that is over, or for a branch that was dropped. */
  readonly #overdue: Ignored[] = [];
  #failed: InstanceFailure | undefined;

  constructor(graph: Graph, control: Control, decide: Decide) {
    this.#graph = graph;
    this.#decide = decide;
    this.#before = control;
    this.#draft = new ControlDraft(control);
  }

  run(endings: readonly StepEnding[], opening: boolean): Progress {
    for (const ending of inRowOrder(this.#graph, endings)) {
      if (ending.event === LATER) this.#wait(ending);
      else if (isActive(this.#draft, ending)) this.#ready.push(ending);
      else if (this.#isOverdue(ending)) this.#late.push(ending);
      else this.#keep(ending);
    }
    if (opening) this.#start(this.#graph.start, "");
    this.#decideAll();
    let next = 0;
    while (next < this.#ready.length && !this.#failed) {
      const ending = this.#ready[next++]!;
      if (isActive(this.#draft, ending)) this.#end(ending, false);
      else this.#late.push(ending);
      this.#decideAll();
    }
    return this.#progress(this.#ready.slice(next));
  }

  restart(steps: readonly Activation[]): Progress {
    for (const one of steps) {
      if (this.#graph.steps.get(one.step)?.kind === "choice") this.#undecided.push(one);
      else {
        this.#draft.restart(one, one.activation - this.#next(one.step));
        this.#started.push(one);
      }
    }
    return this.run(none, false);
  }

  /** Whether an activation that is not active will not start any more. */
  #isOverdue({ step, activation }: Activation): boolean {
    return activation < activationOf(this.#draft, step) || activation < this.#next(step) ||
      isDropped(this.#graph, this.#draft, step);
  }

  #next(step: string): number {
    return nextActivation(this.#graph, this.#draft, step);
  }

  #keep(ending: StepEnding): void {
    this.#unread ??= new Map();
    this.#unread.set(activationKey(ending), ending);
  }

  #wait(ending: StepEnding): void {
    if (!isActive(this.#draft, ending)) {
      this.#late.push(ending);
      return;
    }
    this.#draft.wait(ending.step);
    this.#waiting.push(ending);
    this.#applied.push({ ending, causes: none, decided: false });
  }

  #end(ending: StepEnding, decided: boolean): void {
    if (ending.event === FAILED) return this.#fail(ending);
    const step = this.#graph.steps.get(ending.step);
    const moves = step?.moves.get(ending.event);
    if (moves === undefined) {
      const thrown = undeclaredEvent(ending);
      this.#failed = { step: ending.step, failure: undefined, thrown, attempts: 1 };
      if (!decided) this.#keep(ending);
      return;
    }
    const causes = causesOf(this.#graph, this.#draft, ending.step);
    this.#applied.push({ ending, causes, decided });
    this.#draft.end(ending, ending.metadata, causes);
    const loop = step?.loops.get(ending.event);
    if (loop !== undefined) {
      const { since } = this.#draft.rounds.get(loop.to) ?? { since: 0 };
      if (since + 1 < loop.limit) return this.#goBack(loop, ending);
      if (loop.ends) return this.#useUp(loop, ending);
    }
    for (const head of step?.drops.get(ending.event) ?? none) this.#drop(head, ending);
    for (const { to, mode } of moves) {
      if (mode === "join") this.#join(to);
      else if (mode === "plain" || this.#draft.begin(to)) this.#start(to, activationKey(ending));
    }
  }

  #drop(head: string, ending: StepEnding): void {
    const cause = activationKey(ending);
    for (const one of this.#draft.withdraw(head, this.#graph.branch(head))) {
      this.#withdrawn.push({ ...one, cause });
    }
    this.#takeOverdue();
  }

  /** Gives up deliveries that were kept for what will not start any more. */
  #takeOverdue(): void {
    for (const one of this.#draft.takeOverdue((kept) => this.#isOverdue(kept))) {
      const key = activationKey(one);
      const given = this.#unread?.has(key) ||
        this.#ready.some((ending) => activationKey(ending) === key);
      if (!given) this.#overdue.push({ ...one, waits: false });
    }
  }

  #goBack({ to }: BackEdge, ending: StepEnding): void {
    this.#draft.goBack(to, this.#graph.body(to));
    this.#takeOverdue();
    this.#start(to, activationKey(ending));
  }

  #useUp(loop: BackEdge, ending: StepEnding): void {
    const thrown = roundsUsedUp(loop, ending);
    this.#failed = { step: ending.step, failure: undefined, thrown, attempts: 1 };
  }

  #fail(ending: StepEnding): void {
    const { step, failure, attempt = 1 } = ending;
    const causes = causesOf(this.#graph, this.#draft, step);
    this.#applied.push({ ending, causes, decided: false });
    this.#draft.end(ending, undefined, causes);
    this.#failed = { step, failure, thrown: undefined, attempts: attempt };
  }

  #join(to: string): void {
    if (this.#draft.arrive(to) < this.#graph.sources(to).length) return;
    this.#draft.close(to);
    this.#start(to, "*");
  }

  #start(name: string, cause: string): void {
    if (this.#failed) return;
    const started = { step: name, activation: this.#next(name) };
    this.#draft.active.set(name, { activation: started.activation, cause });
    if (this.#graph.steps.get(name)?.kind === "choice") {
      this.#undecided.push(started);
      return;
    }
    this.#started.push(started);
    const unread = this.#unread?.get(activationKey(started));
    if (unread === undefined) return;
    this.#unread?.delete(activationKey(started));
    this.#ready.push(unread);
  }

  /**
   * Lets choices decide once everything that the same event starts has started: a choice may drop a
   * step that stands beside it.
   */
  #decideAll(): void {
    for (let one = this.#undecided.shift(); one && !this.#failed; one = this.#undecided.shift()) {
      if (isActive(this.#draft, one)) this.#choose(one);
    }
  }

  #choose({ step, activation }: Activation): void {
    try {
      const ended = new Map(this.#applied.map(({ ending }) => [ending.step, ending]));
      const decided = this.#decide({ step, activation }, ended);
      if (decided !== undefined) this.#end({ ...decided, step, activation }, true);
    } catch (error) {
      this.#failed = { step, failure: undefined, thrown: error, attempts: 1 };
    }
  }

  /**
   * The outcome of the turn. `left` are results that were not applied although their steps were
   * active.
   */
  #progress(left: readonly StepEnding[]): Progress {
    const over = this.#failed !== undefined || this.#draft.active.size === 0;
    const unread = this.#unread === undefined ? left : [...this.#unread.values(), ...left];
    const isKept = (ending: StepEnding) =>
      !over && this.#graph.steps.has(ending.step) &&
      (isActive(this.#draft, ending) || !this.#isOverdue(ending));
    const kept = filtered(unread, isKept);
    for (const ending of kept) this.#draft.keep(ending);
    if (!over) this.#draft.forget(this.#graph);
    const stillActive = (one: Activation) => !over && isActive(this.#draft, one);
    const started = filtered(this.#started, stillActive);
    return {
      control: over ? this.#draft.over() : this.#draft.done(),
      status: this.#failed ? "failed" : statusOf(this.#graph, this.#draft.done()),
      applied: this.#applied,
      kept,
      ignored: this.#ignored(filtered(unread, (ending) => !isKept(ending)), over),
      started,
      waiting: filtered(this.#waiting, stillActive),
      withdrawn: this.#withdrawn,
      resolved: this.#resolved(),
      wake: started.some((one) => this.#draft.isEarly(one)),
      failed: this.#failed,
    };
  }

  #ignored(unread: readonly StepEnding[], over: boolean): readonly Ignored[] {
    const late = this.#late.length + this.#overdue.length;
    if (unread.length + late === 0 && !over) return none;
    const forgotten = over
      ? keptIn(this.#draft.done()).filter((one) => !this.#unread?.has(activationKey(one)))
      : none;
    return [...[...unread, ...this.#late].map(ignored), ...this.#overdue, ...forgotten];
  }

  #resolved(): readonly Activation[] {
    const isResolved = ({ ending }: AppliedEnding) =>
      ending.event !== LATER && this.#isResolved(ending);
    return filtered(this.#applied, isResolved).map(({ ending }) => ending);
  }

  /** Whether a wait that was open before this turn ended in it. */
  #isResolved(ending: StepEnding): boolean {
    const step = this.#graph.steps.get(ending.step);
    const isWaiting = step?.kind === "signal" || step?.asynchronous === true;
    return isWaiting && isActive(this.#before, ending) && !isActive(this.#draft, ending);
  }
}
