import { longestTimer } from "../../core/value/duration.ts";
import { StepTimeoutError } from "../../core/errors/errors.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";

/**
 * Tells the code of a step to stop. Its signal is made when somebody asks for it: most steps never
 * do, and it costs.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #stop: ((reason: Error) => void) | undefined;

  /** Why the code is to stop; `undefined` as long as it may go on. */
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
   * Runs code until it ends, `limit` milliseconds have passed, or it is aborted: code that ignores
   * that is left behind. What code returns at once is returned at once.
   */
  run(step: string, limit: number | undefined, code: () => unknown): unknown {
    if (this.#reason) throw this.#reason;
    const returned = callUserCode(code);
    if (!isPromise(returned)) {
      // Code may abort itself through what it was given.
      if (this.#reason) throw this.#reason;
      return returned;
    }
    return new Promise((resolve, reject) => {
      const timer = limit === undefined ? undefined : setTimeout(
        () => this.abort(new StepTimeoutError({ step, limit })),
        Math.min(limit, longestTimer),
      );
      const fail = (reason: unknown) => {
        clearTimeout(timer);
        reject(reason);
      };
      this.#stop = fail;
      if (this.#reason) fail(this.#reason);
      // What it resolves with may have to be awaited too, within the same limit.
      settled(returned).then((value) => {
        clearTimeout(timer);
        resolve(value);
      }, fail);
    });
  }
}
