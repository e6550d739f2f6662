/** How many jobs of each queue this process may run at once, and how many it does. */
export class Slots {
  readonly limits: ReadonlyMap<string, number>;
  readonly #taken = new Map<string, number>();

  constructor(limits: ReadonlyMap<string, number>) {
    this.limits = limits;
  }

  /** How many more jobs of this queue may begin: none of a queue that this process does not serve. */
  free(queue: string): number {
    return Math.max(0, (this.limits.get(queue) ?? 0) - (this.#taken.get(queue) ?? 0));
  }

  /** Takes a slot, if there is one. */
  take(queue: string): boolean {
    if (this.free(queue) === 0) return false;
    this.hold(queue);
    return true;
  }

  /** Takes a slot for a job that has begun already, even beyond the limit. */
  hold(queue: string): void {
    this.#taken.set(queue, (this.#taken.get(queue) ?? 0) + 1);
  }

  release(queue: string): void {
    this.#taken.set(queue, (this.#taken.get(queue) ?? 0) - 1);
  }
}
