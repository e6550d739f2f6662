import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls the user's code: steps, choices, schemas, `pick`, listeners, loggers, whatever waits for an
 * abort. All of it is called through here, in the asynchronous context in which this module was
 * loaded: what runs next in a process depends on what ended before, so the context of whoever
 * called `start()` or `work()` would be that of a stranger.
 */
export const callUserCode: <Args extends readonly unknown[], Result>(
  code: (...args: Args) => Result,
  ...args: Args
) => Result = AsyncLocalStorage.snapshot();
