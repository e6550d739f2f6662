import { emptyControl } from "./control.ts";
import type { Control } from "./instance.ts";
import type { JsonObject } from "./json.ts";

/** A control that is being changed. Each collection is copied when it is first written: most turns leave most of them alone. */
export class ControlDraft {
  readonly active: Map<string, string>;
  readonly #before: Control;
  #arrived: Map<string, number> | undefined;
  #begun: Set<string> | undefined;
  #later: Set<string> | undefined;
  #early: Set<string> | undefined;
  #metadata: Map<string, JsonObject> | undefined;

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

  /** Ends a step, with what it adds to the metadata. */
  end(step: string, metadata: JsonObject | undefined): void {
    this.active.delete(step);
    if ((this.#later ?? this.#before.later).has(step)) {
      (this.#later ??= new Set(this.#before.later)).delete(step);
    }
    if (this.isEarly(step)) (this.#early ??= new Set(this.#before.early)).delete(step);
    if (metadata !== undefined) {
      (this.#metadata ??= new Map(this.#before.metadata)).set(step, metadata);
    }
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
    };
  }

  /** The control of an instance that is over: only what was added to its metadata stays. */
  over(): Control {
    return { ...emptyControl, metadata: this.#metadata ?? this.#before.metadata };
  }
}
