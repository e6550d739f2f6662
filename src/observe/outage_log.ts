import { failure } from "../core/value/failure.ts";
import type { Logger } from "./logger.ts";

/** Limits the warnings of one outage, in case the message is different at each attempt. */
const mostReported = 20;

/**
 * Logs an operation that fails repeatedly: once per error message, and once when it works again.
 */
export class OutageLog {
  readonly #logger: Logger;
  readonly #what: string;
  readonly #success: string;
  readonly #reported = new Set<string>();

  /**
   * @param what The operation: "send a heartbeat".
   * @param success The message when the operation works again.
   */
  constructor(logger: Logger, what: string, success = `Can ${what} again`) {
    this.#logger = logger;
    this.#what = what;
    this.#success = success;
  }

  /** The operation failed and will be retried. */
  failed(error: unknown): void {
    const reported = failure(error);
    if (this.#reported.has(reported.message) || this.#reported.size === mostReported) return;
    this.#reported.add(reported.message);
    this.#logger.warn(`Cannot ${this.#what}, retrying: ${reported.message}`, {
      error: reported,
    });
  }

  /**
   * The operation succeeded. Logs this at the same level as the failure; otherwise the log would
   * seem to end with the failure.
   */
  over(): void {
    if (this.#reported.size === 0) return;
    this.#reported.clear();
    this.#logger.warn(this.#success);
  }
}
