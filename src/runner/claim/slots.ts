/** A slot for one job of a queue, held until it is released. Releasing it twice has no effect. */
export class Slot {
  readonly queue: string;
  #slots: Slots | undefined;

  /** Called only by {@linkcode SlotHold}, which has already counted the slot. */
  constructor(queue: string, slots: Slots) {
    this.queue = queue;
    this.#slots = slots;
  }

  release(): void {
    this.#slots?.count(this.queue, -1);
    this.#slots = undefined;
  }

  /**
   * Leaves the slot to the caller without releasing it. Returns false when it was released before.
   */
  leave(): boolean {
    const held = this.#slots !== undefined;
    this.#slots = undefined;
    return held;
  }
}

/**
 * Slots for jobs that are about to begin. Slots that were not handed over to a job by the end of
 * the hold are released. Declare it with `using`, so that the release cannot be forgotten.
 */
export class SlotHold implements Disposable {
  readonly #slots: Slots;
  readonly #held = new Map<string, number>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** Holds one more slot of a queue. Returns false when none is free. */
  take(queue: string): boolean {
    if (this.#slots.free(queue) === 0) return false;
    this.#slots.count(queue, 1);
    this.#add(queue, 1);
    return true;
  }

  /** Takes over the slot of a job that has ended. */
  takeOver(slot: Slot): void {
    if (slot.leave()) this.#add(slot.queue, 1);
  }

  /**
   * The slot of a job that begins. If the hold has none, it takes one even beyond the limit,
   * because according to the database the job already runs here.
   */
  handOver(queue: string): Slot {
    if (this.#count(queue) > 0) this.#add(queue, -1);
    else this.#slots.count(queue, 1);
    return new Slot(queue, this.#slots);
  }

  /** Releases what was not handed over. */
  release(): void {
    for (const [queue, held] of this.#held) this.#slots.count(queue, -held);
    this.#held.clear();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #count(queue: string): number {
    return this.#held.get(queue) ?? 0;
  }

  #add(queue: string, more: number): void {
    this.#held.set(queue, this.#count(queue) + more);
  }
}

/** Counts how many jobs of each queue this process may run at once, and how many it runs. */
export class Slots {
  readonly limits: ReadonlyMap<string, number>;
  readonly #taken = new Map<string, number>();

  constructor(limits: ReadonlyMap<string, number>) {
    this.limits = limits;
  }

  /** How many more jobs of this queue may begin; 0 for a queue that this process does not serve. */
  free(queue: string): number {
    return Math.max(0, (this.limits.get(queue) ?? 0) - this.taken(queue));
  }

  /** How many slots of this queue are held; 0 while nothing runs. */
  taken(queue: string): number {
    return this.#taken.get(queue) ?? 0;
  }

  /** Whether all slots are free. */
  get idle(): boolean {
    for (const taken of this.#taken.values()) if (taken > 0) return false;
    return true;
  }

  /** Starts a hold: `using held = slots.hold()`. */
  hold(): SlotHold {
    return new SlotHold(this);
  }

  /** Counts slots that are taken or released. Called only by slots and holds. */
  count(queue: string, more: number): void {
    this.#taken.set(queue, this.taken(queue) + more);
  }
}
