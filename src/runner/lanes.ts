/**
 * Writes what has come together, on a few connections side by side. No timer gathers a batch: each lane writes
 * whatever arrived while the others were writing, so a batch is one when idle and hundreds under load.
 */
export class Lanes<T> {
  readonly #count: number;
  readonly #take: () => readonly T[];
  readonly #write: (batch: readonly T[]) => Promise<void>;
  #open = 0;

  /** `write` must not reject. */
  constructor(
    count: number,
    take: () => readonly T[],
    write: (batch: readonly T[]) => Promise<void>,
  ) {
    this.#count = count;
    this.#take = take;
    this.#write = write;
  }

  /** Opens a lane if one is free: there is something to take. */
  wake(): void {
    if (this.#open === this.#count) return;
    this.#open++;
    void this.#run();
  }

  async #run(): Promise<void> {
    // What ends in the same tick goes into the same batch.
    await Promise.resolve();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#write(batch);
    this.#open--;
  }
}
