import type { Store } from "../backend/store.ts";
import { type EndedInstance, isFinal } from "../core/engine/instance.ts";
import type { Logger } from "../observe/logger.ts";
import { Loop } from "../runner/upkeep/loop.ts";
import { onAbort } from "../runner/upkeep/on_abort.ts";

type Resolve = (instance: EndedInstance | undefined) => void;

const firstPause = 50;
const longestPause = 1_000;
const batchSize = 1_000;
const mostRecent = 10_000;

/**
 * Callers that wait for instances to become final. The process that ends an instance notifies its
 * own callers at once; other processes receive a database notification. Notifications may be lost,
 * so one statement periodically checks all instances that are waited for.
 */
export class Waiters {
  readonly #store: Pick<Store, "list" | "watch">;
  readonly #isOurs: (process: string) => boolean;
  #watch: AsyncDisposable | undefined;
  readonly #waiting = new Map<string, Set<Resolve>>();
  readonly #reported = new Set<string>();
  /**
   * Instances that ended here before a caller waited for them. When there are many, the older ones
   * are dropped together.
   */
  #recent = new Set<string>();
  #older: ReadonlySet<string> = new Set();
  readonly #loop: Loop;
  #pause = firstPause;

  /** `isOurs` says whether a process is a worker of this engine, which calls `tell` itself. */
  constructor(
    store: Pick<Store, "list" | "watch">,
    logger: Logger,
    isOurs: (process: string) => boolean,
  ) {
    this.#store = store;
    this.#isOurs = isOurs;
    this.#loop = new Loop({
      name: "check instances that callers wait for",
      interval: longestPause,
      logger,
      round: () => this.#round(),
    });
  }

  /** Reports that an instance has become final. Without `final`, its row is read. */
  notify(instance: string, final?: EndedInstance): void {
    if (!this.#waiting.has(instance)) return this.#remember(instance);
    if (final !== undefined) return this.#settle(instance, final);
    this.#reported.add(instance);
    this.#loop.wake();
  }

  #settle(id: string, final: EndedInstance | undefined): void {
    for (const settle of [...this.#waiting.get(id) ?? []]) settle(final);
  }

  #remember(instance: string): void {
    this.#recent.add(instance);
    if (this.#recent.size < mostRecent) return;
    this.#older = this.#recent;
    this.#recent = new Set();
  }

  /**
   * Waits until an instance is final. Resolves with `undefined` when it does not exist. Rejects
   * with the reason of the first signal that aborts. `AbortSignal.any` would leak memory: each wait
   * would leave a trace in a signal that lives as long as the engine (Node 20). An instance that
   * was just started here is not read before a notification arrives or the first pause has passed.
   */
  wait(
    instance: string,
    signals: readonly AbortSignal[],
    fresh: boolean,
  ): Promise<EndedInstance | undefined> {
    return new Promise((resolve, reject) => {
      const aborted = () => signals.find((signal) => signal.aborted);
      if (aborted()) return reject(aborted()?.reason);
      const waiting = this.#waiting.get(instance) ?? new Set();
      this.#waiting.set(instance, waiting);
      const leave = () => {
        for (const forget of listening) forget();
        waiting.delete(settle);
        if (waiting.size === 0) this.#waiting.delete(instance);
      };
      const settle = (final: EndedInstance | undefined) => {
        leave();
        resolve(final);
      };
      const abort = () => {
        leave();
        reject(aborted()?.reason);
      };
      waiting.add(settle);
      const listening = signals.map((signal) => onAbort(signal, abort));
      this.#pause = firstPause;
      this.#begin();
      const ended = this.#recent.has(instance) || this.#older.has(instance);
      if (fresh && !ended) return this.#loop.wakeIn(firstPause);
      this.#reported.add(instance);
      this.#loop.wake();
    });
  }

  #begin(): void {
    if (this.#watch) return;
    this.#watch = this.#store.watch((instances, by) => {
      // Our workers have already reported it or are about to, so reading the row is unnecessary.
      if (by !== undefined && this.#isOurs(by)) return;
      if (instances.length === 0) this.#loop.wake();
      for (const instance of instances) this.notify(instance);
    });
    this.#loop.start();
  }

  /** Reads the instances that were reported, or else all that are waited for. */
  async #round(): Promise<number> {
    const reported = [...this.#reported].filter((id) => this.#waiting.has(id));
    this.#reported.clear();
    const ids = reported.length > 0 ? reported : [...this.#waiting.keys()];
    if (ids.length === 0) return 2 ** 31;
    for (let from = 0; from < ids.length; from += batchSize) {
      await this.#read(ids.slice(from, from + batchSize));
    }
    if (reported.length === 0) this.#pause = Math.min(2 * this.#pause, longestPause);
    return this.#pause;
  }

  async #read(ids: readonly string[]): Promise<void> {
    const found = await this.#store.list({ ids, limit: ids.length, withOutputs: true });
    const rows = new Map(found.map((row) => [row.id, row]));
    for (const id of ids) {
      const instance = rows.get(id);
      if (instance !== undefined && !isFinal(instance.status)) continue;
      this.#settle(id, instance);
    }
  }

  async stop(): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    await this.#loop.stop();
  }
}
