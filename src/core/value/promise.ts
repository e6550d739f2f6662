import { callUserCode } from "./user_code.ts";

type Settle = (value: unknown) => void;

/** How many thenables may resolve with another thenable in a row. */
const longestChain = 100;
const endless = "Cannot await a value: it keeps resolving to another thenable";

/**
 * Whether a value must be awaited: a promise or thenable of any library or realm. Never throws: a
 * `then` that cannot be read causes a rejection later.
 */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if (value instanceof Promise) return true;
  try {
    return thenOf(value) !== undefined;
  } catch {
    return true;
  }
}

/**
 * Calls `next` with a value: at once, or after it resolves when it must be awaited. All code that
 * accepts a value or a promise goes through here.
 */
export function andThen<T, Result>(
  value: T | PromiseLike<T>,
  next: (value: T) => Result,
): Result | Promise<Awaited<Result>> {
  return isPromise(value)
    ? settled(value).then((value) => next(value)) as Promise<Awaited<Result>>
    : next(value);
}

/** Converts any promise or thenable to a promise of this realm. */
export function settled<T>(value: T | PromiseLike<T>): Promise<T> {
  if (value instanceof Promise) return value;
  return new Promise((resolve, reject) => follow(value, 0, resolve as Settle, reject));
}

/** Lets a promise that nobody awaits reject without an unhandled rejection. */
export function unawaited(value: PromiseLike<unknown>): void {
  settled(value).catch(() => {});
}

/** `await` would follow a thenable that resolves with itself forever and block everything else. */
function follow(value: unknown, chain: number, resolve: Settle, reject: Settle): void {
  let over = false;
  const first = (settle: Settle): Settle => (value) => {
    if (over) return;
    over = true;
    settle(value);
  };
  const fail = first(reject);
  try {
    const then = value instanceof Promise ? undefined : thenOf(value);
    if (then === undefined) return resolve(value);
    if (chain === longestChain) throw new TypeError(endless);
    const next = first((value) => follow(value, chain + 1, resolve, reject));
    callUserCode(() => Reflect.apply(then, value, [next, fail]));
  } catch (error) {
    fail(error);
  }
}

// deno-lint-ignore ban-types -- any callable value
function thenOf(value: unknown): Function | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    return undefined;
  }
  // Most values have no `then`, and reading it may run a getter.
  if (!("then" in value)) return undefined;
  const then = callUserCode(() => value.then);
  return typeof then === "function" ? then : undefined;
}
