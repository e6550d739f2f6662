import type { InstanceState, Store } from "../../backend/store.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { weightOf } from "../../core/value/json.ts";
import type { Graphs } from "../graphs.ts";
import { OutputCache } from "../run/inputs.ts";

/**
 * An instance as this process last saw it. It may be stale: every write is fenced by its revision.
 */
export interface CachedInstance {
  readonly state: InstanceState;
  readonly outputs: OutputCache;
}

interface CacheEntry extends CachedInstance {
  /** Its weight when the entry was last updated. */
  readonly weight: number;
}

/**
 * Limits of the cache: the number of instances and the approximate number of characters in their
 * values.
 */
export interface CacheLimits {
  readonly instances: number;
  readonly characters: number;
}

const defaultLimits: CacheLimits = { instances: 20_000, characters: 32_000_000 };
/** How many instances to read at a time: while their size is unknown, and at most. */
const readAtOnce = { first: 50, most: 500 };
/** Approximate number of characters of values to read at a time. */
const charactersAtOnce = 4_000_000;

/**
 * The instances that this process works on. All access goes through this cache, and it accepts no
 * instance of a graph that this process does not have. When it is full, it evicts the oldest
 * entries.
 */
export class InstanceCache {
  readonly #store: Pick<Store, "read">;
  readonly #graphs: Pick<Graphs, "fits" | "met">;
  readonly #limits: CacheLimits;
  readonly #cached = new Map<string, CacheEntry>();
  #weight = 0;
  /** How many instances to read at a time, given the size of the last ones. */
  #atOnce = readAtOnce.first;

  constructor(
    store: Pick<Store, "read">,
    graphs: Pick<Graphs, "fits" | "met">,
    limits: CacheLimits = defaultLimits,
  ) {
    this.#store = store;
    this.#graphs = graphs;
    this.#limits = limits;
  }

  get(id: string): CachedInstance | undefined {
    return this.#cached.get(id);
  }

  /** Loads the instances that are not cached. */
  async load(ids: Iterable<string>): Promise<void> {
    const missing = new Set<string>();
    for (const id of ids) if (!this.#cached.has(id)) missing.add(id);
    const all = [...missing];
    while (all.length > 0) {
      const state = await this.refresh(all.splice(0, this.#atOnce));
      this.#atOnce = fitting(state.values());
    }
  }

  /**
   * Reads instances again and returns them. Drop a job only on the basis of this result, because an
   * instance can be evicted at any time. Outputs stay cached, because they never change. Throws
   * when one of the instances was started with another graph.
   */
  async refresh(ids: readonly string[]): Promise<ReadonlyMap<string, InstanceState>> {
    const read = new Map<string, InstanceState>();
    let foreign: InstanceState | undefined;
    for (const state of await this.#store.read(ids)) {
      if (this.#graphs.fits(state)) read.set(state.id, state);
      else foreign = state;
    }
    for (const id of ids) {
      const state = read.get(id);
      if (state === undefined) this.forget(id);
      else this.set(state);
    }
    if (foreign !== undefined) throw this.#graphs.met(foreign);
    return read;
  }

  /**
   * One instance as it is now, unless it is final. It cannot be evicted between the read and the
   * return.
   */
  async fresh(id: string): Promise<CachedInstance | undefined> {
    const state = (await this.refresh([id])).get(id);
    if (state === undefined || isFinal(state.status)) return undefined;
    return { state, outputs: this.#cached.get(id)?.outputs ?? new OutputCache() };
  }

  /** Stores the new state of an instance. */
  set(state: InstanceState): void {
    const cached = this.#cached.get(state.id);
    // This read was overtaken by a later one.
    if (cached && cached.state.revision > state.revision) return;
    if (isFinal(state.status)) return this.forget(state.id);
    const outputs = cached?.outputs ?? new OutputCache();
    const weight = weightOfValues(state) + outputs.weight;
    this.#weight += weight - (cached?.weight ?? 0);
    this.#cached.set(state.id, { state, outputs, weight });
    const { instances, characters } = this.#limits;
    while (this.#cached.size > instances || this.#weight > characters) {
      const [oldest] = this.#cached.keys();
      // A single instance that exceeds the limit is still worked on.
      if (oldest === undefined || oldest === state.id) return;
      this.forget(oldest);
    }
  }

  /**
   * Caches an instance whose jobs wait for a claim, as long as it leaves space for the running
   * ones.
   */
  offer(state: InstanceState): void {
    const { instances, characters } = this.#limits;
    if (this.#cached.size < instances / 2 && this.#weight < characters / 2) this.set(state);
  }

  forget(id: string): void {
    this.#weight -= this.#cached.get(id)?.weight ?? 0;
    this.#cached.delete(id);
  }
}

/** How many instances may be read at a time if all are as large as the largest of these. */
function fitting(read: Iterable<InstanceState>): number {
  const largest = Math.max(1, ...Array.from(read, (state) => weightOfValues(state)));
  const fits = Math.floor(charactersAtOnce / largest);
  return Math.min(readAtOnce.most, Math.max(1, fits));
}

function weightOfValues({ input, metadata }: InstanceState): number {
  return weightOf(input) + weightOf(metadata);
}
