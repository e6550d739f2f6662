import { isFinal } from "../core/instance.ts";
import type { Known, Store } from "../store/store.ts";
import type { Outputs } from "./outputs.ts";

/** An instance as this process last saw it. It may be stale: every write is fenced by its revision. */
export interface Cached {
  readonly known: Known;
  readonly outputs: Outputs;
}

/** What becomes of it in place: a map whose entries are replaced at every step is soon rebuilt. */
interface Entry extends Cached {
  known: Known;
}

/** The instances that this process works on. When there are too many, those that have been here longest are forgotten. */
export class Instances {
  readonly #store: Pick<Store, "read">;
  readonly #atMost: number;
  readonly #cached = new Map<string, Entry>();

  constructor(store: Pick<Store, "read">, atMost = 20_000) {
    this.#store = store;
    this.#atMost = atMost;
  }

  get(id: string): Cached | undefined {
    return this.#cached.get(id);
  }

  /** Reads instances that are not here. */
  async load(ids: Iterable<string>): Promise<void> {
    const missing = new Set<string>();
    for (const id of ids) if (!this.#cached.has(id)) missing.add(id);
    if (missing.size > 0) await this.refresh([...missing]);
  }

  /**
   * Reads instances again and returns what was read: whoever gives a job up must judge by that, for others may forget
   * an instance at any time. Outputs stay, for they never change.
   */
  async refresh(ids: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    const read = new Map((await this.#store.read(ids)).map((known) => [known.id, known]));
    for (const id of ids) {
      const known = read.get(id);
      if (known === undefined) this.#cached.delete(id);
      else this.set(known);
    }
    return read;
  }

  /** One instance as it is now, unless it is final; nobody can forget it between the read and the answer. */
  async fresh(id: string): Promise<Cached | undefined> {
    const known = (await this.refresh([id])).get(id);
    if (known === undefined || isFinal(known.status)) return undefined;
    return { known, outputs: this.#cached.get(id)?.outputs ?? new Map() };
  }

  /** Remembers what an instance has become. */
  set(known: Known): void {
    const cached = this.#cached.get(known.id);
    // A read that was overtaken by a later one.
    if (cached && cached.known.revision > known.revision) return;
    if (isFinal(known.status)) return this.forget(known.id);
    if (cached !== undefined) {
      cached.known = known;
      return;
    }
    this.#cached.set(known.id, { known, outputs: new Map() });
    if (this.#cached.size > this.#atMost) this.forget(this.#cached.keys().next().value!);
  }

  /** Remembers an instance whose jobs wait for a claim, as long as the running ones have room beside it. */
  offer(known: Known): void {
    if (this.#cached.size < this.#atMost / 2) this.set(known);
  }

  forget(id: string): void {
    this.#cached.delete(id);
  }
}
