import { hostname } from "node:os";
import process from "node:process";
import { HephaestusError } from "../core/errors/errors.ts";
import { type Duration, milliseconds } from "../core/value/duration.ts";
import { onAbort } from "../runner/upkeep/on_abort.ts";
import { WorkerProcess as Working } from "../runner/worker.ts";
import type { Client } from "./client.ts";
import { type WorkOptions, workTimes } from "./options.ts";

/** A running worker. Stop it with `await using` or {@linkcode Worker.stop}. */
export interface Worker extends AsyncDisposable {
  /** Its id in the database; `""` until it is ready. */
  readonly id: string;
  /**
   * Resolves when the worker has started, or was stopped before that. As long as starting may
   * succeed, it stays pending: the worker logs the reason once and keeps trying, whether or not
   * anything awaits `ready`. Rejects when retrying is pointless: with `SchemaVersionError` when the
   * tables are newer than the code, and when the server is too old.
   */
  readonly ready: Promise<void>;
  /**
   * Stops claiming jobs, lets running steps continue for `grace`, then aborts the rest and gives
   * their jobs back without using up an attempt. A second call with a shorter `grace` shortens the
   * time.
   */
  stop(options?: { readonly grace?: Duration }): Promise<void>;
}

/** The workers of an engine, until it is closed. */
export class Workers {
  readonly all: Set<Working> = new Set();
  #closed: Promise<unknown> | undefined;

  /** Starts a worker. */
  work({ runtime, waiters }: Client, options: WorkOptions): Worker {
    if (this.#closed !== undefined) {
      throw new HephaestusError(
        "CLOSED",
        "Cannot start the worker: the engine is closed or closing",
      );
    }
    const { signal, name = `${hostname()}:${process.pid}` } = options;
    const times = workTimes(options);
    const finished = waiters.notify.bind(waiters);
    const working = new Working(runtime, { ...times, name, finished });
    this.all.add(working);
    const stop = async (grace?: Duration) => {
      forget();
      await working.stop(grace === undefined ? undefined : milliseconds(grace, "grace"));
      this.all.delete(working);
    };
    let forget = () => {};
    if (signal !== undefined) forget = onAbort(signal, () => void stop());
    return {
      get id() {
        return working.process;
      },
      ready: working.ready,
      stop: ({ grace } = {}) => stop(grace),
      [Symbol.asyncDispose]: () => stop(),
    };
  }

  /** Stops all workers and prevents new ones. */
  close(): Promise<unknown> {
    return this.#closed ??= Promise.all([...this.all].map((worker) => worker.stop()));
  }
}
