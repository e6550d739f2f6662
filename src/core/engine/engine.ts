import { isItem } from "../each/items.ts";
import { EachTurn } from "../each/turn.ts";
import { roundsUsedUp, undeclaredEvent } from "../errors/step.ts";
import { type BackEdge, type Graph, inRowOrder, row } from "../graph/graph.ts";
import { failure as failureOf } from "../value/failure.ts";
import { type Activation, activationKey, isUndo } from "./activation.ts";
import { causesOf, emptyControl, isActive, isOverdue, nextActivation } from "./control.ts";
import { ControlDraft } from "./draft.ts";
import type { Control, InstanceStatus, UndoOn, UndoReason } from "./instance.ts";
import {
  type Decide,
  FAILED,
  type InstanceFailure,
  LATER,
  type PastEnding,
  type Progress,
  type StepEnding,
} from "./progress.ts";
import { statusOf } from "./status.ts";
import { TurnLog } from "./turn_log.ts";
import { canBeUndone, longestMessage, undoNext } from "./undo.ts";

/** Starts an instance. Before the ends in `undoOn`, it undoes what its steps have done. */
export function open(
  graph: Graph,
  decide: Decide,
  undoOn: ReadonlySet<UndoOn> = emptyControl.undoOn,
): Progress {
  const control = undoOn.size === 0 ? emptyControl : { ...emptyControl, undoOn };
  return new TurnBuilder(graph, control, decide, nothingYet).run([], true);
}

/**
 * Applies the results of steps to an instance.
 *
 * The order of the results does not matter: a result is kept until its step is active, and a join
 * counts the steps that have arrived. `history` returns what was applied in earlier turns. It is
 * called only if the instance undoes what its steps have done.
 */
export function advance(
  graph: Graph,
  control: Control,
  endings: readonly StepEnding[],
  decide: Decide,
  history: History = nothingYet,
): Progress {
  return new TurnBuilder(graph, control, decide, history).run(endings, false);
}

/** Goes on from a control in which some steps have just started, with these results. */
export function goOn(
  graph: Graph,
  control: Control,
  started: readonly Activation[],
  endings: readonly StepEnding[],
  decide: Decide,
  history: History = nothingYet,
): Progress {
  return new TurnBuilder(graph, control, decide, history).goOn(started, endings);
}

const none: readonly never[] = [];
/** What was applied in earlier turns. */
type History = () => readonly PastEnding[];
const nothingYet: History = () => none;

/** Computes one turn of one instance: the mutable part of {@linkcode advance}. */
class TurnBuilder {
  readonly #graph: Graph;
  readonly #decide: Decide;
  readonly #history: History;
  readonly #before: Control;
  readonly #draft: ControlDraft;
  readonly #log = new TurnLog();
  #lists: EachTurn | undefined;
  /** Choices that have started and have not decided. */
  readonly #undecided: Activation[] = [];
  #failed: InstanceFailure | undefined;

  constructor(graph: Graph, control: Control, decide: Decide, history: History) {
    this.#graph = graph;
    this.#decide = decide;
    this.#history = history;
    this.#before = control;
    this.#draft = new ControlDraft(control);
  }

  run(endings: readonly StepEnding[], opening: boolean): Progress {
    const { ready, late } = this.#log;
    for (const ending of inRowOrder(this.#graph, endings)) {
      if (ending.event === LATER) this.#wait(ending);
      else if (isActive(this.#draft, ending)) ready.push(ending);
      else if (isOverdue(this.#graph, this.#draft, ending)) late.push(ending);
      else this.#log.keep(ending);
    }
    if (opening) this.#start(this.#graph.start, "");
    this.#decideAll();
    let next = 0;
    while (!this.#isOver) {
      const ending = ready[next];
      if (ending === undefined) {
        if (!this.#goOn()) break;
      } else {
        next++;
        if (isActive(this.#draft, ending)) this.#end(ending, false);
        else late.push(ending);
      }
      this.#decideAll();
    }
    return this.#log.progress({
      graph: this.#graph,
      before: this.#before,
      draft: this.#draft,
      status: this.#status(),
      failed: this.#failed,
      left: ready.slice(next),
    });
  }

  /** Whether the instance fails and does not undo anything first. */
  get #isOver(): boolean {
    return this.#failed !== undefined && this.#draft.undo === undefined;
  }

  goOn(started: readonly Activation[], endings: readonly StepEnding[]): Progress {
    for (const one of started) {
      const kind = this.#graph.steps.get(one.step)?.kind;
      if (kind === "choice") this.#undecided.push(one);
      else if (kind === "each") this.#each.restart(one);
      else this.#log.started.push(one);
    }
    return this.run(endings, false);
  }

  #next(step: string): number {
    return nextActivation(this.#graph, this.#draft, step);
  }

  #wait(ending: StepEnding): void {
    if (!isActive(this.#draft, ending)) return void this.#log.late.push(ending);
    this.#draft.wait(ending.step);
    this.#log.waiting.push(ending);
    this.#log.applied.push({ ending, causes: none, decided: false });
  }

  #end(ending: StepEnding, decided: boolean): void {
    if (isItem(ending.step)) return this.#each.end(ending);
    const step = this.#graph.steps.get(ending.step);
    const moves = step?.moves.get(ending.event);
    const isKnown = moves !== undefined || ending.event === FAILED || isUndo(ending.step);
    if (!isKnown) return this.#refuse(ending, decided);
    const causes = causesOf(this.#graph, this.#draft, ending.step);
    this.#log.applied.push({ ending, causes, decided });
    this.#draft.end(ending, moves === undefined ? undefined : ending.metadata, causes);
    // What was let end, and an undo, lead nowhere.
    if (this.#draft.undo !== undefined) return;
    if (moves === undefined) {
      const { step, failure, attempt = 1 } = ending;
      return this.#fail({ step, failure, thrown: undefined, attempts: attempt }, ending);
    }
    const outcome = step?.returns.get(ending.event);
    if (outcome !== undefined) this.#draft.return(ending, outcome);
    const loop = step?.loops.get(ending.event);
    if (loop !== undefined) {
      const { since } = this.#draft.rounds.get(loop.to) ?? { since: 0 };
      if (since + 1 < loop.limit) return this.#goBack(loop, ending);
      if (loop.ends) return this.#failWith(roundsUsedUp(loop, ending), ending);
    }
    if (step?.undoing.has(ending.event)) {
      return this.#undo({ status: "undone", step: ending.step, event: ending.event }, ending);
    }
    for (const head of step?.drops.get(ending.event) ?? none) this.#drop(head, ending);
    for (const { to, mode } of moves) {
      if (mode === "join") this.#join(to);
      else if (mode === "plain" || this.#draft.begin(to)) this.#start(to, activationKey(ending));
    }
  }

  #refuse(ending: StepEnding, decided: boolean): void {
    if (!decided) this.#log.keep(ending);
    this.#failWith(undeclaredEvent(ending), ending);
  }

  #drop(head: string, ending: StepEnding): void {
    const cause = activationKey(ending);
    for (const one of this.#draft.drop(head, this.#graph.branch(head))) {
      this.#log.withdrawn.push({ ...one, cause });
    }
    this.#takeOverdue();
  }

  /** Gives up deliveries that were kept for what will not start any more. */
  #takeOverdue(): void {
    for (
      const one of this.#draft.takeOverdue((kept) => isOverdue(this.#graph, this.#draft, kept))
    ) {
      this.#log.giveUp(one);
    }
  }

  #goBack({ to }: BackEdge, ending: StepEnding): void {
    this.#draft.goBack(to, this.#graph.body(to));
    this.#takeOverdue();
    this.#start(to, activationKey(ending));
  }

  #failWith(thrown: unknown, by: Activation): void {
    this.#fail({ step: by.step, failure: undefined, thrown, attempts: 1 }, by);
  }

  #fail(failed: InstanceFailure, by: Activation): void {
    this.#failed ??= failed;
    if (!this.#draft.undoOn.has("failed") || this.#draft.undo !== undefined) return;
    const { message } = failed.failure ?? failureOf(failed.thrown);
    const reason = { status: "failed", step: failed.step } as const;
    this.#undo({ ...reason, message: message.slice(0, longestMessage) }, by);
  }

  /**
   * Withdraws what is active. What can be undone and has begun is not cut off: it ends, and leads
   * nowhere.
   */
  #undo(reason: UndoReason, by: Activation): void {
    this.#draft.undo = reason;
    const cause = activationKey(by);
    const started = new Set(this.#log.started.map(({ step }) => step));
    const isCutOff = (step: string) =>
      started.has(step) || !canBeUndone(this.#graph.steps.get(step));
    for (const one of this.#draft.withdraw(isCutOff)) this.#log.withdrawn.push({ ...one, cause });
    this.#takeOverdue();
  }

  #join(to: string): void {
    if (this.#draft.arrive(to) < this.#graph.sources(to).length) return;
    this.#draft.close(to);
    this.#start(to, "*");
  }

  #start(name: string, cause: string): void {
    const started = { step: name, activation: this.#next(name) };
    this.#draft.active.set(name, { activation: started.activation, cause });
    const kind = this.#graph.steps.get(name)?.kind;
    if (kind === "choice") this.#undecided.push(started);
    else if (kind === "each") this.#each.start(started);
    else this.#log.start(started);
  }

  get #each(): EachTurn {
    return this.#lists ??= new EachTurn(this.#graph, this.#draft, this.#log, this.#decide);
  }

  /**
   * When all results are applied and all choices have decided: begins the next items of a step over
   * a list, or ends it. Returns false when there is no such step.
   */
  #goOn(): boolean {
    const one = this.#lists?.next();
    if (one !== undefined) this.#decideFor(one, (due) => this.#each.run(due));
    return one !== undefined;
  }

  /**
   * Lets choices decide once everything that the same event starts has started: a choice may drop a
   * step that stands beside it. Targets are a set in the fingerprint, so the rows give the order.
   */
  #decideAll(): void {
    while (this.#undecided.length > 0 && !this.#isOver) {
      this.#undecided.sort((a, b) => row(this.#graph, a.step) - row(this.#graph, b.step));
      const one = this.#undecided.shift()!;
      if (!isActive(this.#draft, one)) continue;
      this.#decideFor(one, (choice) => this.#decide(choice, this.#log.ended()));
    }
  }

  #decideFor(one: Activation, decide: (one: Activation) => ReturnType<Decide>): void {
    try {
      const decided = decide(one);
      if (decided !== undefined) this.#end({ ...decided, ...one }, true);
    } catch (thrown) {
      if (this.#draft.undoOn.has("failed")) this.#draft.leave(one);
      this.#failWith(thrown, one);
    }
  }

  #status(): InstanceStatus {
    if (this.#isOver) return "failed";
    const { undo, active } = this.#draft;
    if (undo === undefined || ![...active.keys()].every(isUndo)) {
      return statusOf(this.#graph, this.#draft.done());
    }
    const now = this.#log.applied.map(({ ending, causes }) => ({ ...ending, causes }));
    const history = [...this.#history(), ...now];
    const next = undoNext(this.#graph, undo, history, active, (one) => this.#log.start(one));
    if (next.failed !== undefined) this.#failed = next.failed;
    return next.status;
  }
}
