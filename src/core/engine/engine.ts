import {
  type AppliedEnding,
  type Decide,
  FAILED,
  type Ignored,
  type InstanceFailure,
  LATER,
  type Progress,
  type StepEnding,
} from "./progress.ts";
import { emptyControl } from "./control.ts";
import { ControlDraft } from "./draft.ts";
import { HephaestusError } from "../errors/errors.ts";
import { filtered } from "./filtered.ts";
import { causesOf, type Graph, type GraphStep, row } from "../graph/graph.ts";
import type { Control, InstanceStatus } from "./instance.ts";

/** Starts an instance. */
export function open(graph: Graph, decide: Decide): Progress {
  return new TurnBuilder(graph, emptyControl, decide).run([], true);
}

/**
 * Applies endings to an instance.
 *
 * The outcome does not depend on their order: an ending is applied once its step is active, kept
 * until then, and what joins count is how many roads have arrived.
 */
export function advance(
  graph: Graph,
  control: Control,
  endings: readonly StepEnding[],
  decide: Decide,
): Progress {
  return new TurnBuilder(graph, control, decide).run(endings, false);
}

/** Ends an instance from outside its graph: nothing is active any more. */
export function cancel({ metadata, early }: Control): Progress {
  return {
    control: { ...emptyControl, metadata },
    status: "cancelled",
    applied: none,
    kept: none,
    ignored: [...early].map((step) => ({ step, activation: 1 })),
    started: none,
    waiting: none,
    resolved: none,
    wake: false,
    failed: undefined,
  };
}

/** Whether an active step waits for the outside or for time, and has no code that runs. */
function isWait(step: GraphStep, control: Pick<Control, "later">): boolean {
  return step.kind === "signal" || step.kind === "timer" || control.later.has(step.name);
}

const none: readonly never[] = [];

/** One turn of one instance: the mutable half of {@linkcode advance}. */
class TurnBuilder {
  readonly #graph: Graph;
  readonly #decide: Decide;
  readonly #before: Control;
  readonly #draft: ControlDraft;
  /** Endings whose step is not active yet. */
  #unread: Map<string, StepEnding> | undefined;
  // Most turns apply one ending and start one step: a list of one is a tenth of what an empty one
  // becomes when it grows.
  #ready: StepEnding[] | undefined;
  #applied: AppliedEnding[] | undefined;
  #started: string[] | undefined;
  #waiting: string[] | undefined;
  /** Words of steps that they wait, whose wait is over already: a delivery was read before them. */
  #overtaken: StepEnding[] | undefined;
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
      else if (this.#draft.active.has(ending.step)) this.#ready = and(this.#ready, ending);
      else this.#keep(ending);
    }
    if (opening) this.#start(this.#graph.start, "");
    let next = 0;
    for (; this.#ready && next < this.#ready.length && !this.#failed; next++) {
      this.#end(this.#ready[next]!, false);
    }
    return this.#progress(this.#ready?.slice(next) ?? none);
  }

  #keep(ending: StepEnding): void {
    this.#unread ??= new Map();
    this.#unread.set(ending.step, ending);
  }

  #wait(ending: StepEnding): void {
    if (!this.#draft.active.has(ending.step)) {
      this.#overtaken = and(this.#overtaken, ending);
      return;
    }
    this.#draft.wait(ending.step);
    this.#waiting = and(this.#waiting, ending.step);
    this.#applied = and(this.#applied, { ending, causes: none, decided: false });
  }

  #end(ending: StepEnding, decided: boolean): void {
    if (ending.event === FAILED) return this.#fail(ending);
    const moves = this.#graph.steps.get(ending.step)?.moves.get(ending.event);
    if (moves === undefined) {
      const error = new HephaestusError(
        "UNDECLARED_EVENT",
        `Cannot apply the result of step "${ending.step}": it does not declare the event "${ending.event}"`,
      );
      this.#failed = { step: ending.step, failure: undefined, thrown: error };
      if (!decided) this.#keep(ending);
      return;
    }
    const causes = causesOf(this.#graph, ending.step, this.#draft.active.get(ending.step));
    this.#applied = and(this.#applied, { ending, causes, decided });
    this.#draft.end(ending.step, ending.metadata, causes);
    for (const { to, mode } of moves) {
      if (mode === "join") this.#join(to);
      else if (mode === "plain" || this.#draft.begin(to)) this.#start(to, ending.step);
    }
  }

  #fail(ending: StepEnding): void {
    const { step, failure } = ending;
    const causes = causesOf(this.#graph, step, this.#draft.active.get(step));
    this.#applied = and(this.#applied, { ending, causes, decided: false });
    this.#draft.end(step, undefined, causes);
    this.#failed = { step, failure, thrown: undefined };
  }

  #join(to: string): void {
    if (this.#draft.arrive(to) < this.#graph.sources(to).length) return;
    this.#draft.close(to);
    this.#start(to, "*");
  }

  #start(name: string, cause: string): void {
    if (this.#failed) return;
    this.#draft.active.set(name, cause);
    if (this.#graph.steps.get(name)?.kind === "choice") return this.#choose(name);
    this.#started = and(this.#started, name);
    const unread = this.#unread?.get(name);
    if (unread === undefined) return;
    this.#unread?.delete(name);
    this.#ready = and(this.#ready, unread);
  }

  #choose(step: string): void {
    try {
      const ended = new Map(this.#applied?.map(({ ending }) => [ending.step, ending]));
      this.#end({ ...this.#decide(step, ended), step, activation: 1 }, true);
    } catch (error) {
      this.#failed = { step, failure: undefined, thrown: error };
    }
  }

  /**
   * What has become of the turn. `left` are endings that are not applied although their steps were
   * active.
   */
  #progress(left: readonly StepEnding[]): Progress {
    const over = this.#failed !== undefined || this.#draft.active.size === 0;
    const unread = this.#unread === undefined ? left : [...this.#unread.values(), ...left];
    const isKept = ({ step }: StepEnding) => !over && this.#graph.steps.has(step);
    const kept = filtered(unread, isKept);
    for (const { step } of kept) this.#draft.keep(step);
    if (!over) this.#draft.forget(this.#graph);
    const isActive = (step: string) => !over && this.#draft.active.has(step);
    const started = filtered(this.#started ?? none, isActive);
    return {
      control: over ? this.#draft.over() : this.#draft.done(),
      status: this.#status(),
      applied: this.#applied ?? none,
      kept,
      ignored: this.#ignored(filtered(unread, (ending) => !isKept(ending)), over),
      started,
      waiting: filtered(this.#waiting ?? none, isActive),
      resolved: this.#resolved(),
      wake: started.some((step) => this.#draft.isEarly(step)),
      failed: this.#failed,
    };
  }

  #ignored(unread: readonly StepEnding[], over: boolean): readonly Ignored[] {
    const forgotten = over ? this.#forgotten() : none;
    const overtaken = this.#overtaken ?? none;
    if (forgotten.length + overtaken.length === 0) return unread;
    return [...unread, ...overtaken, ...forgotten];
  }

  #resolved(): readonly string[] {
    const isResolved = ({ ending }: AppliedEnding) =>
      ending.event !== LATER && this.#isResolved(ending.step);
    return filtered(this.#applied ?? none, isResolved).map(({ ending }) => ending.step);
  }

  /** Kept deliveries of an instance that is over. */
  #forgotten(): readonly Ignored[] {
    const { early } = this.#draft.done();
    return [...early].filter((step) => !this.#unread?.has(step))
      .map((step) => ({ step, activation: 1 }));
  }

  /** Whether a wait that was open before this turn has ended in it. */
  #isResolved(name: string): boolean {
    const step = this.#graph.steps.get(name);
    const isWaiting = step?.kind === "signal" || step?.asynchronous === true;
    return isWaiting && this.#before.active.has(name) && !this.#draft.active.has(name);
  }

  #status(): InstanceStatus {
    if (this.#failed) return "failed";
    if (this.#draft.active.size === 0) return "completed";
    const { later } = this.#draft.done();
    for (const name of this.#draft.active.keys()) {
      const step = this.#graph.steps.get(name);
      if (step === undefined || !isWait(step, { later })) return "running";
    }
    return "waiting";
  }
}

/** A list with one more. */
function and<T>(list: T[] | undefined, item: T): T[] {
  if (list === undefined) return [item];
  list.push(item);
  return list;
}

function inRowOrder(graph: Graph, endings: readonly StepEnding[]): readonly StepEnding[] {
  if (endings.length < 2) return endings;
  return [...endings].sort((a, b) => row(graph, a.step) - row(graph, b.step));
}
