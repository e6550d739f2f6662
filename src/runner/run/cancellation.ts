import { longestTimer } from "../../core/value/duration.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";

/** How long code may run. */
export interface Limit {
  readonly milliseconds: number;
  /** What it is aborted with after that. */
  readonly reason: () => Error;
}

/**
 * Cancels the code of a step. Its signal is created on first use: a signal is expensive and most
 * steps never use it.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #stop: ((reason: Error) => void) | undefined;

  /** Why the code must stop; `undefined` while it may continue. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    callUserCode(() => this.#controller?.abort(reason));
    this.#stop?.(reason);
  }

  /**
   * Runs code until it ends, its limit has passed, or it is aborted. Code that ignores an abort is
   * left running. A value that code returns synchronously is returned synchronously.
   */
  run(limit: Limit | undefined, code: () => unknown): unknown {
    if (this.#reason) throw this.#reason;
    const returned = callUserCode(code);
    if (!isPromise(returned)) {
      // The code may have aborted itself through its arguments.
      if (this.#reason) throw this.#reason;
      return returned;
    }
    return new Promise((resolve, reject) => {
      const timer = limit === undefined ? undefined : setTimeout(
        () => this.abort(limit.reason()),
        Math.min(limit.milliseconds, longestTimer),
      );
      const fail = (reason: unknown) => {
        clearTimeout(timer);
        reject(reason);
      };
      this.#stop = fail;
      if (this.#reason) fail(this.#reason);
      // The value it resolves with may itself be a promise. The same limit applies.
      settled(returned).then((value) => {
        clearTimeout(timer);
        resolve(value);
      }, fail);
    });
  }
}
