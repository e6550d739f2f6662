import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls user code: steps, choices, schemas, `pick`, listeners, loggers and abort listeners. All of
 * it runs in the asynchronous context in which this module was loaded. What runs next in a process
 * depends on what ended before, so otherwise user code would run in the context of an unrelated
 * call to `start()` or `work()`.
 */
export const callUserCode: <Args extends readonly unknown[], Result>(
  code: (...args: Args) => Result,
  ...args: Args
) => Result = AsyncLocalStorage.snapshot();
