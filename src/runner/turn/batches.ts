import type { Submission } from "./plan.ts";

const none: readonly never[] = [];

/** What one instance has waiting. */
export class Line {
  readonly instance: string;
  #waiting: Submission[] | undefined;

  constructor(instance: string) {
    this.instance = instance;
  }

  add(submission: Submission): void {
    if (this.#waiting === undefined) this.#waiting = [submission];
    else this.#waiting.push(submission);
  }

  /** Takes everything. */
  take(): readonly Submission[] {
    const taken = this.#waiting ?? none;
    this.#waiting = undefined;
    return taken;
  }

  get isEmpty(): boolean {
    return this.#waiting === undefined;
  }
}

/**
 * What waits to be written, one line for each instance. A line that was taken is nobody else's
 * until it is given back.
 */
export class Lines {
  readonly #all = new Map<string, Line>();
  /** First come, first taken. */
  readonly #free: Line[] = [];

  /** How many lines may be taken. */
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
