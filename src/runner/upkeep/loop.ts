import { longestTimer } from "../../core/value/duration.ts";
import type { Logger } from "../../observe/logger.ts";
import { OutageLog } from "../../observe/outage_log.ts";

/** What a background loop does. */
export interface LoopOptions {
  /** What it is, for the log. */
  readonly name: string;
  /**
   * One round. Returns the milliseconds until the next, 0 for at once; `undefined` for the usual
   * interval.
   */
  readonly round: () => Promise<number | undefined>;
  /**
   * The usual milliseconds between rounds. They vary by a quarter, so that processes do not move in
   * step.
   */
  readonly interval: number;
  readonly logger: Logger;
}

/**
 * Runs rounds for ever: what goes wrong in one is logged once for each cause, and the next comes
 * all the same.
 */
export class Loop {
  readonly #options: LoopOptions;
  #stopped = false;
  #woken = false;
  #wakeAt = Infinity;
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Begins the next round at once, or right after the present one. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Begins the next round in `milliseconds`, unless it comes sooner anyway. */
  wakeIn(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#wake();
  }

  /** Lets the present round end; there is no other one. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, round, interval, logger } = this.#options;
    const outage = new OutageLog(logger, name);
    while (!this.#stopped) {
      this.#woken = false;
      this.#wakeAt = Infinity;
      let pause: number | undefined;
      try {
        pause = await round();
        outage.over();
      } catch (error) {
        outage.failed(error);
      }
      await this.#sleep(pause ?? interval * (0.75 + Math.random() / 2));
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    const until = performance.now() + milliseconds;
    for (;;) {
      const left = Math.min(until, this.#wakeAt) - performance.now();
      if (this.#stopped || this.#woken || left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(Math.ceil(left), longestTimer));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
