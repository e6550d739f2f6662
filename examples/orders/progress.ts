import process from "node:process";

const width = 24;

/**
 * Shows progress on standard error: a line that is updated in place, or a new line every few
 * seconds in a file.
 */
export class Progress implements Disposable {
  readonly #total: number;
  readonly #fleet: { readonly kills: number };
  readonly #began = performance.now();
  readonly #terminal: boolean = process.stderr.isTTY === true;
  readonly #timer: ReturnType<typeof setInterval>;
  #done = 0;
  #ended: number | undefined;

  constructor(total: number, fleet: { readonly kills: number }) {
    this.#total = total;
    this.#fleet = fleet;
    this.#timer = setInterval(() => this.#show(), this.#terminal ? 100 : 3_000);
  }

  /** Seconds since the start, until it was stopped. */
  get seconds(): number {
    return ((this.#ended ?? performance.now()) - this.#began) / 1_000;
  }

  /** Counts one more order. */
  count(): void {
    this.#done++;
  }

  #show(): void {
    const { kills } = this.#fleet;
    const filled = Math.floor(width * this.#done / this.#total);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    const line = `${bar} ${this.#done} of ${this.#total} orders, ${this.seconds.toFixed(1)} s` +
      (kills > 0 ? `, ${kills} processes killed` : "");
    process.stderr.write(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`);
  }

  /** Leaves the line as it is. */
  stop(): void {
    if (this.#ended !== undefined) return;
    this.#ended = performance.now();
    clearInterval(this.#timer);
    this.#show();
    if (this.#terminal) process.stderr.write("\n");
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
