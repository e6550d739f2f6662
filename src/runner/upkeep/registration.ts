import type { Lease, Queue, Serving } from "../../backend/queue.ts";
import { SchemaVersionError, ServerVersionError } from "../../core/errors/errors.ts";
import { OutageLog } from "../../observe/outage_log.ts";
import { announce } from "../incoming/announce.ts";
import type { Runtime } from "../runtime.ts";
import { pause, unlessAborted } from "./outage.ts";

/** The data with which a process registers. */
export interface Registering {
  readonly name: string;
  /** Milliseconds without a heartbeat after which it is declared dead. */
  readonly lease: number;
  readonly serving: Serving;
}

type Entering = Pick<Runtime, "backend" | "graphs" | "registry" | "queues">;

/** Registers a process in the backend: when it begins, and again after it was declared dead. */
export class Registration {
  readonly #runtime: Entering;
  readonly #entering: Registering;
  readonly #givenUp: AbortSignal;
  readonly #outage: OutageLog;
  #entered: Promise<void> = Promise.resolve();

  constructor(
    runtime: Entering & Pick<Runtime, "logger">,
    entering: Registering,
    givenUp: AbortSignal,
  ) {
    this.#runtime = runtime;
    this.#entering = entering;
    this.#givenUp = givenUp;
    this.#outage = new OutageLog(
      runtime.logger,
      "start the worker",
      "The database is available. The worker has started",
    );
  }

  /**
   * Waits for the database and its tables. Rejects if waiting is pointless; the id is `undefined`
   * when the process gave up.
   */
  begin(): Promise<string | undefined> {
    return persist(this.#givenUp, this.#outage, async () => {
      await this.#runtime.backend.ready();
      await this.#runtime.graphs.look();
      await announce(this.#runtime);
      return await this.#enter();
    });
  }

  /** The tables existed before, so any error may pass: keep trying. */
  beginAgain(): Promise<string | undefined> {
    return persist(this.#givenUp, this.#outage, () => this.#enter());
  }

  /** Resolves when no registration is in progress. One that succeeded too late has been removed. */
  get settled(): Promise<void> {
    return this.#entered;
  }

  #enter(): Promise<string> {
    const entering = this.#register();
    this.#entered = entering.then(() => {}, () => {});
    return entering;
  }

  async #register(): Promise<string> {
    if (this.#givenUp.aborted) return "";
    const { queue } = this.#runtime.backend;
    const { name, lease, serving } = this.#entering;
    const process = await queue.register(name, lease, serving);
    // The process has stopped waiting for this registration.
    if (this.#givenUp.aborted) await queue.unregister(process);
    return process;
  }
}

/**
 * Whether an error persists until this process is replaced: the tables are newer than the code, or
 * the server is too old.
 */
function isPointless(error: unknown): boolean {
  return error instanceof SchemaVersionError
    ? !error.migratable
    : error instanceof ServerVersionError;
}

/** Milliseconds after which a hanging attempt is logged. */
const hanging = 5_000;
const shortest = 250;
const longest = 8_000;

/**
 * Retries with growing pauses until it succeeds or is pointless. Returns `undefined` when `signal`
 * has aborted.
 */
async function persist<T>(
  signal: AbortSignal,
  outage: OutageLog,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let tries = 0; !signal.aborted; tries++) {
    const timer = setTimeout(() => outage.failed(new Error("no response yet")), hanging);
    try {
      const done = await unlessAborted(signal, work());
      if (done !== undefined) outage.over();
      return done;
    } catch (error) {
      if (isPointless(error)) throw error;
      outage.failed(error);
    } finally {
      clearTimeout(timer);
    }
    await pause(signal, Math.min(shortest * 2 ** tries, longest) * (0.75 + Math.random() / 2));
  }
  return undefined;
}

/**
 * Unregisters the process and gives back its remaining jobs. This uses up no attempt, except for
 * those in `counted`.
 */
export async function leave(
  queue: Queue,
  process: string,
  lease: number,
  counted: readonly Lease[],
): Promise<void> {
  if (counted.length > 0) await queue.release(counted, { counted: true });
  const beat = await queue.heartbeat(process, lease);
  if (beat && beat.owned.length > 0) await queue.release(beat.owned);
  await queue.unregister(process);
}
