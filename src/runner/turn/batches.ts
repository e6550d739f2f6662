import type { Submission } from "./plan.ts";

/** The waiting submissions of one instance. */
export class Line {
  readonly instance: string;
  readonly #waiting: Submission[] = [];

  constructor(instance: string) {
    this.instance = instance;
  }

  add(submission: Submission): void {
    this.#waiting.push(submission);
  }

  /** Takes all submissions. */
  take(): readonly Submission[] {
    return this.#waiting.splice(0);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }
}

/**
 * Submissions that wait to be written, one line per instance. A line that was taken cannot be taken
 * again until it is given back.
 */
export class Lines {
  readonly #all = new Map<string, Line>();
  /** First in, first out. */
  readonly #free: Line[] = [];

  /** How many lines can be taken. */
  get free(): number {
    return this.#free.length;
  }

  add(submission: Submission): void {
    const { instance } = submission.job;
    let line = this.#all.get(instance);
    if (line === undefined) {
      line = new Line(instance);
      this.#all.set(instance, line);
      this.#free.push(line);
    }
    line.add(submission);
  }

  take(atMost: number): readonly Line[] {
    return this.#free.splice(0, atMost);
  }

  giveBack(lines: readonly Line[]): void {
    for (const line of lines) {
      if (line.isEmpty) this.#all.delete(line.instance);
      else this.#free.push(line);
    }
  }
}

/**
 * Writes what has accumulated, on a few connections in parallel. Batches are not gathered by a
 * timer: each lane writes whatever arrived while the others were writing. So a batch has one entry
 * when idle and hundreds under load. Lanes that become free at the same time share the waiting
 * entries: while one lane writes, steps of the other run.
 */
export class Lanes<T> {
  readonly #count: number;
  readonly #take: (lanes: number) => readonly T[];
  readonly #write: (batch: readonly T[]) => Promise<void>;
  #open = 0;
  #writing = 0;

  /**
   * `take` receives the number of free lanes that share the waiting entries. `write` must not
   * reject.
   */
  constructor(
    count: number,
    take: (lanes: number) => readonly T[],
    write: (batch: readonly T[]) => Promise<void>,
  ) {
    this.#count = count;
    this.#take = take;
    this.#write = write;
  }

  /** Starts a lane if one is free: there is something to take. */
  wake(): void {
    if (this.#open === this.#count) return;
    this.#open++;
    void this.#run();
  }

  async #run(): Promise<void> {
    // Everything that ends in the same tick goes into the same batch.
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
