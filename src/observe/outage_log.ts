import { failure } from "../core/value/failure.ts";
import type { Logger } from "./logger.ts";

/** A trouble that changes its words with each try is not told more often than this. */
const mostTold = 20;

/**
 * Tells the log of something that fails again and again: once for each cause, and once when it is
 * over.
 */
export class OutageLog {
  readonly #logger: Logger;
  readonly #what: string;
  readonly #success: string;
  readonly #told = new Set<string>();

  /**
   * @param what What is tried: "send a heartbeat".
   * @param success What is said when it is over.
   */
  constructor(logger: Logger, what: string, success = `Can ${what} again`) {
    this.#logger = logger;
    this.#what = what;
    this.#success = success;
  }

  /** It has failed, and is tried again. */
  failed(error: unknown): void {
    const told = failure(error);
    if (this.#told.has(told.message) || this.#told.size === mostTold) return;
    this.#told.add(told.message);
    this.#logger.warn(`Cannot ${this.#what}, it is tried again: ${told.message}`, { error: told });
  }

  /**
   * It has succeeded. Says so as loudly as that it had failed, or the log would end with the
   * failure.
   */
  over(): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.#logger.warn(this.#success);
  }
}
