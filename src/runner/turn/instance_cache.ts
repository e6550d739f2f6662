import { isFinal } from "../../core/engine/instance.ts";
import type { InstanceState, Store } from "../../backend/store.ts";
import { weightOf } from "../../core/value/json.ts";
import type { Graphs } from "../graphs.ts";
import { OutputCache } from "../run/inputs.ts";

/**
 * An instance as this process last saw it. It may be stale: every write is fenced by its revision.
 */
export interface CachedInstance {
  readonly known: InstanceState;
  readonly outputs: OutputCache;
}

/** What becomes of it in place: a map whose entries are replaced at every step is soon rebuilt. */
interface CacheEntry extends CachedInstance {
  known: InstanceState;
  /** What it counted when it was last looked at. */
  weight: number;
}

/**
 * How much a process remembers: so many instances, and about so many characters of their values.
 */
export interface Room {
  readonly instances: number;
  readonly characters: number;
}

const usualRoom: Room = { instances: 20_000, characters: 32_000_000 };
/** How many are read at a time while nobody knows how large they are, and when they are small. */
const readAtOnce = { first: 50, most: 500 };
/** About how many characters of values are read at a time. */
const charactersAtOnce = 4_000_000;

/**
 * The instances that this process works on: the only way to them, and no instance of a graph that
 * is not here gets in. When there are too many, those that have been here longest are forgotten.
 */
export class InstanceCache {
  readonly #store: Pick<Store, "read">;
  readonly #graphs: Pick<Graphs, "fits" | "met">;
  readonly #room: Room;
  readonly #cached = new Map<string, CacheEntry>();
  #weight = 0;
  /** How many to read at a time: as many of the size of the last ones as have room. */
  #atOnce = readAtOnce.first;

  constructor(
    store: Pick<Store, "read">,
    graphs: Pick<Graphs, "fits" | "met">,
    room: Room = usualRoom,
  ) {
    this.#store = store;
    this.#graphs = graphs;
    this.#room = room;
  }

  get(id: string): CachedInstance | undefined {
    return this.#cached.get(id);
  }

  /** Reads instances that are not here. */
  async load(ids: Iterable<string>): Promise<void> {
    const missing = new Set<string>();
    for (const id of ids) if (!this.#cached.has(id)) missing.add(id);
    const all = [...missing];
    while (all.length > 0) {
      const known = await this.refresh(all.splice(0, this.#atOnce));
      this.#atOnce = fitting(known.values());
    }
  }

  /**
   * Reads instances again and returns what was read: whoever gives a job up must judge by that, for
   * others may forget an instance at any time. Outputs stay, for they never change. Throws when one
   * of them has begun with another graph.
   */
  async refresh(ids: readonly string[]): Promise<ReadonlyMap<string, InstanceState>> {
    const read = new Map<string, InstanceState>();
    let foreign: InstanceState | undefined;
    for (const known of await this.#store.read(ids)) {
      if (this.#graphs.fits(known)) read.set(known.id, known);
      else foreign = known;
    }
    for (const id of ids) {
      const known = read.get(id);
      if (known === undefined) this.forget(id);
      else this.set(known);
    }
    if (foreign !== undefined) throw this.#graphs.met(foreign);
    return read;
  }

  /**
   * One instance as it is now, unless it is final; nobody can forget it between the read and the
   * answer.
   */
  async fresh(id: string): Promise<CachedInstance | undefined> {
    const known = (await this.refresh([id])).get(id);
    if (known === undefined || isFinal(known.status)) return undefined;
    return { known, outputs: this.#cached.get(id)?.outputs ?? new OutputCache() };
  }

  /** Remembers what an instance has become. */
  set(known: InstanceState): void {
    const cached = this.#cached.get(known.id);
    // A read that was overtaken by a later one.
    if (cached && cached.known.revision > known.revision) return;
    if (isFinal(known.status)) return this.forget(known.id);
    if (cached !== undefined) {
      cached.known = known;
      this.#weigh(cached);
    } else {
      const entry = { known, outputs: new OutputCache(), weight: 0 };
      this.#cached.set(known.id, entry);
      this.#weigh(entry);
    }
  }

  #weigh(entry: CacheEntry): void {
    const { known, outputs } = entry;
    const weight = weightOfValues(known) + outputs.weight;
    this.#weight += weight - entry.weight;
    entry.weight = weight;
    const { instances, characters } = this.#room;
    while (this.#cached.size > instances || this.#weight > characters) {
      const [oldest] = this.#cached.keys();
      // One that is too large by itself is worked on all the same.
      if (oldest === undefined || oldest === known.id) return;
      this.forget(oldest);
    }
  }

  /**
   * Remembers an instance whose jobs wait for a claim, as long as the running ones have room beside
   * it.
   */
  offer(known: InstanceState): void {
    const { instances, characters } = this.#room;
    if (this.#cached.size < instances / 2 && this.#weight < characters / 2) this.set(known);
  }

  forget(id: string): void {
    this.#weight -= this.#cached.get(id)?.weight ?? 0;
    this.#cached.delete(id);
  }
}

/** How many instances of the size of the largest of these may be read at a time. */
function fitting(read: Iterable<InstanceState>): number {
  const largest = Math.max(1, ...Array.from(read, (known) => weightOfValues(known)));
  const fits = Math.floor(charactersAtOnce / largest);
  return Math.min(readAtOnce.most, Math.max(1, fits));
}

function weightOfValues({ input, metadata }: InstanceState): number {
  return weightOf(input) + weightOf(metadata);
}
