import { emptyControl } from "./control.ts";
import { HephaestusError } from "./errors.ts";
import type { Graph, GraphStep } from "./graph.ts";
import type { Control, InstanceStatus } from "./instance.ts";
import type { JsonObject } from "./json.ts";

/** The event under which an asynchronous step says that it waits for a delivery. */
export const LATER = "__async__";

/** The event of a step whose attempts are used up. */
export const FAILED = "__failed__";

/** How a step ended, as the engine sees it. */
export interface StepEnding {
  readonly step: string;
  readonly activation: number;
  readonly event: string;
  readonly output: unknown;
  readonly metadata: JsonObject | undefined;
}

/** An ending that was applied. `decided` marks a choice, which the engine itself has asked. */
export interface Applied {
  readonly ending: StepEnding;
  /** The steps whose arrival had started the step. */
  readonly causes: readonly string[];
  readonly decided: boolean;
}

/** Runs the code of a choice. `ended` gives the endings of this turn, which no store has yet. */
export type Decide = (
  step: string,
  ended: ReadonlyMap<string, StepEnding>,
) => Pick<StepEnding, "event" | "output" | "metadata">;

/** What a turn does to an instance. */
export interface Progress {
  readonly control: Control;
  readonly status: InstanceStatus;
  /** In the order in which they were applied. */
  readonly applied: readonly Applied[];
  /** Endings that came before their wait and are kept. */
  readonly kept: readonly StepEnding[];
  /** Endings and kept deliveries that nobody will read. */
  readonly ignored: readonly Pick<StepEnding, "step" | "activation">[];
  /** Steps that have started and are still active at the end of the turn. */
  readonly started: readonly string[];
  /** Asynchronous steps that began to wait and still do. */
  readonly waiting: readonly string[];
  /** Waits that were open before the turn and have ended. */
  readonly resolved: readonly string[];
  /** A kept delivery has met its wait, but was not among the endings: an advance must read it. */
  readonly wake: boolean;
  /** What a choice threw. */
  readonly thrown: { readonly step: string; readonly error: unknown } | undefined;
}

/** Starts an instance. */
export function open(graph: Graph, decide: Decide): Progress {
  return new Advance(graph, emptyControl, decide).run([], true);
}

/**
 * Applies endings to an instance.
 *
 * The outcome does not depend on their order: an ending is applied once its step is active, kept until then, and
 * what joins count is how many roads have arrived.
 */
export function advance(
  graph: Graph,
  control: Control,
  endings: readonly StepEnding[],
  decide: Decide,
): Progress {
  return new Advance(graph, control, decide).run(endings, false);
}

/** The metadata of an instance with what its steps have added, in the order of the rows. */
export function mergeMetadata(graph: Graph, metadata: JsonObject, control: Control): JsonObject {
  const updates = [...control.metadata].sort(([a], [b]) => row(graph, a) - row(graph, b));
  return Object.assign({ ...metadata }, ...updates.map(([, update]) => update));
}

function row(graph: Graph, step: string): number {
  return graph.steps.get(step)?.index ?? -1;
}

/** Whether an active step waits for the outside or for time, and has no code that runs. */
export function isWait(step: GraphStep, control: Pick<Control, "later">): boolean {
  return step.kind === "signal" || step.kind === "timer" || control.later.has(step.name);
}

/** One turn of one instance: the mutable half of {@linkcode advance}. */
class Advance {
  readonly #graph: Graph;
  readonly #decide: Decide;
  readonly #before: Control;
  readonly #active: Map<string, string>;
  readonly #arrived: Map<string, number>;
  readonly #begun: Set<string>;
  readonly #later: Set<string>;
  readonly #early: Set<string>;
  readonly #metadata: Map<string, JsonObject>;
  readonly #unread = new Map<string, StepEnding>();
  readonly #ready: StepEnding[] = [];
  readonly #ended = new Map<string, StepEnding>();
  readonly #applied: Applied[] = [];
  readonly #started = new Set<string>();
  readonly #waiting: string[] = [];
  #thrown: Progress["thrown"];

  constructor(graph: Graph, control: Control, decide: Decide) {
    this.#graph = graph;
    this.#decide = decide;
    this.#before = control;
    this.#active = new Map(control.active);
    this.#arrived = new Map(control.arrived);
    this.#begun = new Set(control.begun);
    this.#later = new Set(control.later);
    this.#early = new Set(control.early);
    this.#metadata = new Map(control.metadata);
  }

  run(endings: readonly StepEnding[], opening: boolean): Progress {
    const inRowOrder = [...endings].sort((a, b) =>
      row(this.#graph, a.step) - row(this.#graph, b.step)
    );
    for (const ending of inRowOrder) {
      if (ending.event === LATER) this.#wait(ending);
      else if (this.#active.has(ending.step)) this.#ready.push(ending);
      else this.#unread.set(ending.step, ending);
    }
    if (opening) this.#start(this.#graph.start, "");
    let next = 0;
    for (; next < this.#ready.length && !this.#thrown; next++) this.#end(this.#ready[next]!, false);
    this.#ready.splice(0, next);
    return this.#progress();
  }

  #wait(ending: StepEnding): void {
    if (!this.#active.has(ending.step)) return;
    this.#later.add(ending.step);
    this.#waiting.push(ending.step);
    this.#applied.push({ ending, causes: [], decided: false });
  }

  #end(ending: StepEnding, decided: boolean): void {
    const moves = this.#graph.steps.get(ending.step)?.moves.get(ending.event);
    if (moves === undefined) {
      const error = new HephaestusError(
        "UNDECLARED_EVENT",
        `Cannot apply the result of step "${ending.step}": it does not declare the event "${ending.event}"`,
      );
      this.#thrown = { step: ending.step, error };
      if (!decided) this.#unread.set(ending.step, ending);
      return;
    }
    this.#applied.push({ ending, causes: this.#causes(ending.step), decided });
    this.#active.delete(ending.step);
    this.#later.delete(ending.step);
    this.#early.delete(ending.step);
    if (ending.metadata !== undefined) this.#metadata.set(ending.step, ending.metadata);
    this.#ended.set(ending.step, ending);
    for (const { to, mode } of moves) {
      if (mode === "join") this.#join(to);
      else if (mode === "plain") this.#start(to, ending.step);
      else if (!this.#begun.has(to)) {
        this.#begun.add(to);
        this.#start(to, ending.step);
      }
    }
  }

  #join(to: string): void {
    const arrived = (this.#arrived.get(to) ?? 0) + 1;
    if (arrived < this.#graph.sources(to).length) {
      this.#arrived.set(to, arrived);
      return;
    }
    this.#arrived.delete(to);
    this.#start(to, "*");
  }

  #start(name: string, cause: string): void {
    if (this.#thrown) return;
    this.#active.set(name, cause);
    const step = this.#graph.steps.get(name);
    if (step?.kind === "choice") {
      this.#choose(name);
      return;
    }
    this.#started.add(name);
    const unread = this.#unread.get(name);
    if (unread === undefined) return;
    this.#unread.delete(name);
    this.#ready.push(unread);
  }

  #choose(step: string): void {
    try {
      this.#end({ ...this.#decide(step, this.#ended), step, activation: 1 }, true);
    } catch (error) {
      this.#thrown = { step, error };
    }
  }

  #causes(step: string): readonly string[] {
    const cause = this.#active.get(step);
    if (cause === "*") return this.#graph.sources(step);
    return cause === undefined || cause === "" ? [] : [cause];
  }

  #progress(): Progress {
    const unread = [...this.#unread.values(), ...this.#ready];
    const over = this.#thrown !== undefined || this.#active.size === 0;
    const foreign = (ending: StepEnding) => !this.#graph.steps.has(ending.step);
    const kept = over ? [] : unread.filter((ending) => !foreign(ending));
    for (const { step } of kept) this.#early.add(step);
    const forgotten = over ? [...this.#early].filter((step) => !this.#unread.has(step)) : [];
    if (over) this.#active.clear();
    if (over) this.#early.clear();
    const active = (step: string) => this.#active.has(step);
    const started = [...this.#started].filter(active);
    return {
      control: {
        active: this.#active,
        arrived: over ? new Map() : this.#arrived,
        begun: over ? new Set() : this.#begun,
        later: over ? new Set() : this.#later,
        early: this.#early,
        metadata: this.#metadata,
      },
      status: this.#status(),
      applied: this.#applied,
      kept,
      ignored: [
        ...unread.filter((ending) => over || foreign(ending)),
        ...forgotten.map((step) => ({ step, activation: 1 })),
      ],
      started,
      waiting: this.#waiting.filter(active),
      resolved: [...this.#before.active.keys()].filter((name) => this.#isResolved(name)),
      wake: started.some((step) => this.#early.has(step)),
      thrown: this.#thrown,
    };
  }

  #isResolved(name: string): boolean {
    if (!this.#ended.has(name)) return false;
    const step = this.#graph.steps.get(name);
    return step?.kind === "signal" || step?.asynchronous === true;
  }

  #status(): InstanceStatus {
    if (this.#thrown) return "failed";
    if (this.#active.size === 0) return "completed";
    for (const name of this.#active.keys()) {
      const step = this.#graph.steps.get(name);
      if (step === undefined || !isWait(step, { later: this.#later })) return "running";
    }
    return "waiting";
  }
}
