/** Room for one job of a queue, held until it is released. Releasing it twice changes nothing. */
export class Slot {
  readonly queue: string;
  #slots: Slots | undefined;

  /** Made by {@linkcode SlotHold} alone, which has counted it. */
  constructor(queue: string, slots: Slots) {
    this.queue = queue;
    this.#slots = slots;
  }

  release(): void {
    this.#slots?.count(this.queue, -1);
    this.#slots = undefined;
  }

  /** Leaves its room to whoever asks; false when it was released before. */
  leave(): boolean {
    const held = this.#slots !== undefined;
    this.#slots = undefined;
    return held;
  }
}

/**
 * Slots for jobs that are about to begin. What has not been handed over to a job when the hold ends
 * is released: declared with `using`, it cannot be forgotten.
 */
export class SlotHold implements Disposable {
  readonly #slots: Slots;
  readonly #held = new Map<string, number>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** Holds one more slot of a queue. False when none is free. */
  take(queue: string): boolean {
    if (this.#slots.free(queue) === 0) return false;
    this.#slots.count(queue, 1);
    this.#add(queue, 1);
    return true;
  }

  /** Takes over the slot of a job that is over. */
  takeOver(slot: Slot): void {
    if (slot.leave()) this.#add(slot.queue, 1);
  }

  /**
   * The slot of a job that begins. Where none is held it is taken even beyond the limit, for the
   * database says that the job runs here.
   */
  handOver(queue: string): Slot {
    if (this.#count(queue) > 0) this.#add(queue, -1);
    else this.#slots.count(queue, 1);
    return new Slot(queue, this.#slots);
  }

  [Symbol.dispose](): void {
    for (const [queue, held] of this.#held) this.#slots.count(queue, -held);
    this.#held.clear();
  }

  #count(queue: string): number {
    return this.#held.get(queue) ?? 0;
  }

  #add(queue: string, more: number): void {
    this.#held.set(queue, this.#count(queue) + more);
  }
}

/** How many jobs of each queue this process may run at once, and how many it does. */
export class Slots {
  readonly limits: ReadonlyMap<string, number>;
  readonly #taken = new Map<string, number>();

  constructor(limits: ReadonlyMap<string, number>) {
    this.limits = limits;
  }

  /**
   * How many more jobs of this queue may begin: none of a queue that this process does not serve.
   */
  free(queue: string): number {
    return Math.max(0, (this.limits.get(queue) ?? 0) - this.taken(queue));
  }

  /** How many slots of this queue are held: none while nothing runs. */
  taken(queue: string): number {
    return this.#taken.get(queue) ?? 0;
  }

  /** Whether all of them are free. */
  get idle(): boolean {
    for (const taken of this.#taken.values()) if (taken > 0) return false;
    return true;
  }

  /** Begins to hold slots: `using held = slots.hold()`. */
  hold(): SlotHold {
    return new SlotHold(this);
  }

  /** Counts slots that are taken or released. Called by slots and holds alone. */
  count(queue: string, more: number): void {
    this.#taken.set(queue, this.taken(queue) + more);
  }
}
