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
