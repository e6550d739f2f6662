import { longestTimer } from "../../core/value/duration.ts";
import type { Logger } from "../../observe/logger.ts";
import { OutageLog } from "../../observe/outage_log.ts";

/** What a background loop does. */
export interface LoopOptions {
  /** Its name in the log. */
  readonly name: string;
  /**
   * One round. Returns the milliseconds until the next; 0 starts it immediately, and `undefined`
   * means the usual interval.
   */
  readonly round: () => Promise<number | undefined>;
  /**
   * The usual interval in milliseconds. It varies by a quarter, so that processes do not run in
   * step.
   */
  readonly interval: number;
  readonly logger: Logger;
}

/**
 * Runs rounds until it is stopped. An error in a round is logged once per cause, and the next round
 * runs anyway.
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

  /** Begins the next round now, or directly after the current one. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Begins the next round in `milliseconds`, unless it is due sooner. */
  wakeIn(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#wake();
  }

  /** Waits for the current round to end. No other round begins. */
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
