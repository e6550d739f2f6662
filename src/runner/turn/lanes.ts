/**
 * Writes what has come together, on a few connections side by side. No timer gathers a batch: each
 * lane writes whatever arrived while the others were writing, so a batch is one when idle and
 * hundreds under load. Lanes that come at the same time share what there is: while one is written,
 * the other's steps run.
 */
export class Lanes<T> {
  readonly #count: number;
  readonly #take: (lanes: number) => readonly T[];
  readonly #write: (batch: readonly T[]) => Promise<void>;
  #open = 0;
  #writing = 0;

  /** `take` is told how many lanes are free to share what waits. `write` must not reject. */
  constructor(
    count: number,
    take: (lanes: number) => readonly T[],
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
    for (;;) {
      const batch = this.#take(this.#count - this.#writing);
      if (batch.length === 0) break;
      this.#writing++;
      await this.#write(batch);
      this.#writing--;
    }
    this.#open--;
  }
}
