/**
 * Room for one job. Giving it back a second time changes nothing, so that nobody can give back what
 * others hold by then.
 */
export class Slot {
  readonly queue: string;
  #slots: Slots | undefined;

  constructor(queue: string, slots: Slots) {
    this.queue = queue;
    this.#slots = slots;
  }

  release(): void {
    this.#slots?.freed(this);
    this.#slots = undefined;
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

  /** Takes a slot, if there is one. */
  take(queue: string): Slot | undefined {
    return this.free(queue) === 0 ? undefined : this.hold(queue);
  }

  /** Takes a slot for a job that has begun already, even beyond the limit. */
  hold(queue: string): Slot {
    this.#taken.set(queue, this.taken(queue) + 1);
    return new Slot(queue, this);
  }

  /** Counts a slot that is given back. Called by the slot alone. */
  freed({ queue }: Slot): void {
    this.#taken.set(queue, this.taken(queue) - 1);
  }
}
