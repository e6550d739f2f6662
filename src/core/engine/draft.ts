import { emptyControl } from "./control.ts";
import { causesOf, type Graph } from "../graph/graph.ts";
import type { Control } from "./instance.ts";
import type { JsonObject } from "../value/json.ts";

const none: readonly never[] = [];

/**
 * A control that is being changed. Each collection is copied when it is first written: most turns
 * leave most of them alone.
 */
export class ControlDraft {
  readonly active: Map<string, string>;
  readonly #before: Control;
  #arrived: Map<string, number> | undefined;
  #begun: Set<string> | undefined;
  #later: Set<string> | undefined;
  #early: Set<string> | undefined;
  #metadata: Map<string, JsonObject> | undefined;
  #past: Map<string, readonly string[]> | undefined;

  constructor(before: Control) {
    this.#before = before;
    this.active = new Map(before.active);
  }

  /** Counts a road that reaches a join. Returns how many have. */
  arrive(join: string): number {
    const arrived = ((this.#arrived ?? this.#before.arrived).get(join) ?? 0) + 1;
    (this.#arrived ??= new Map(this.#before.arrived)).set(join, arrived);
    return arrived;
  }

  /** Forgets the count of a join that starts. */
  close(join: string): void {
    this.#arrived?.delete(join);
  }

  /** Notes that `first` has started a step. False when it had before. */
  begin(step: string): boolean {
    if ((this.#begun ?? this.#before.begun).has(step)) return false;
    (this.#begun ??= new Set(this.#before.begun)).add(step);
    return true;
  }

  /** Notes that an asynchronous step waits for a delivery. */
  wait(step: string): void {
    (this.#later ??= new Set(this.#before.later)).add(step);
  }

  /** Notes that a delivery came before its wait. */
  keep(step: string): void {
    if (!this.isEarly(step)) (this.#early ??= new Set(this.#before.early)).add(step);
  }

  isEarly(step: string): boolean {
    return (this.#early ?? this.#before.early).has(step);
  }

  /** Ends a step that `causes` have started, with what it adds to the metadata. */
  end(step: string, metadata: JsonObject | undefined, causes: readonly string[]): void {
    this.active.delete(step);
    if ((this.#later ?? this.#before.later).has(step)) {
      (this.#later ??= new Set(this.#before.later)).delete(step);
    }
    if (this.isEarly(step)) (this.#early ??= new Set(this.#before.early)).delete(step);
    if (metadata !== undefined) {
      (this.#metadata ??= new Map(this.#before.metadata)).set(step, metadata);
    }
    const past = this.#pastOf(causes, metadata === undefined ? undefined : step);
    if (past.length > 0) (this.#past ??= new Map(this.#before.past)).set(step, past);
  }

  /** The steps behind these that have added to the metadata, and one more. */
  #pastOf(steps: readonly string[], one: string | undefined): readonly string[] {
    const past = this.#past ?? this.#before.past;
    if (past.size === 0) return one === undefined ? none : [one];
    const all = new Set(steps.flatMap((step) => past.get(step) ?? none));
    if (one !== undefined) all.add(one);
    return [...all];
  }

  /** Forgets the past of steps that start nothing any more. */
  forget(graph: Graph): void {
    const past = this.#past ?? this.#before.past;
    if (past.size === 0) return;
    const needed = new Set<string>();
    for (const [step, cause] of this.active) {
      for (const name of causesOf(graph, step, cause)) needed.add(name);
    }
    for (const join of (this.#arrived ?? this.#before.arrived).keys()) {
      for (const name of graph.sources(join)) needed.add(name);
    }
    this.#past = new Map([...past].filter(([step]) => needed.has(step)));
  }

  /** The control that it has become. */
  done(): Control {
    return {
      active: this.active,
      arrived: this.#arrived ?? this.#before.arrived,
      begun: this.#begun ?? this.#before.begun,
      later: this.#later ?? this.#before.later,
      early: this.#early ?? this.#before.early,
      metadata: this.#metadata ?? this.#before.metadata,
      past: this.#past ?? this.#before.past,
    };
  }

  /** The control of an instance that is over: only what was added to its metadata stays. */
  over(): Control {
    return { ...emptyControl, metadata: this.#metadata ?? this.#before.metadata };
  }
}
