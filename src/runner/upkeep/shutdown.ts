import { failure } from "../../core/value/failure.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Running } from "../claim/running.ts";
import { pause, unlessAborted, within } from "./outage.ts";

/** A process that is stopping. */
export interface Stopping {
  /** Its id; `""` if it has not registered. */
  readonly process: string;
  readonly logger: Logger;
  readonly running: Running;
  /** Resolves when no registration is in progress. */
  readonly registered: Promise<void>;
  /** Ends the loops that begin new work. */
  endLoops(): Promise<unknown>;
  /** Gives back the remaining jobs and unregisters the process. */
  leave(): Promise<void>;
}

/**
 * Milliseconds that a stop may take in addition to its grace period, for each of two phases: until
 * aborted steps have ended, and until the process has unregistered.
 */
const patience = 3_000;

/** The abort reason after which a job is given back without using up the attempt. */
export const givenBack: Error = new Error("The process is stopping");

/**
 * Stops a process: running steps may finish within the grace period, then they are aborted and
 * given back.
 */
export class Shutdown {
  readonly #graceOver = new AbortController();
  readonly #givenUp = new AbortController();

  /** Aborts when running steps may not continue. */
  get graceOver(): AbortSignal {
    return this.#graceOver.signal;
  }

  /** Aborts when the process gives up: nothing is retried after that. */
  get givenUp(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Gives up immediately, because nothing has begun that needs an orderly end. */
  giveUp(): void {
    this.#givenUp.abort();
  }

  /** Lets running steps continue for at most so many milliseconds. */
  limit(grace: number): void {
    void pause(this.givenUp, grace).then(() => this.#graceOver.abort());
  }

  async run({ process, logger, running, registered, endLoops, leave }: Stopping): Promise<void> {
    // A claim in progress may still return jobs.
    const drained = endLoops().then(() => running.drained());
    await unlessAborted(this.graceOver, drained);
    this.#graceOver.abort();
    running.abort(givenBack);
    await within(patience, drained);
    this.#givenUp.abort();
    const late = "Cannot unregister the process. Its lease will expire";
    const left = leave().catch((error) => {
      logger.warn(late, { process, error: failure(error) });
    });
    if (!(await within(patience, left))) {
      logger.warn(late, { process, reason: "no response in time" });
    }
    if (process === "") await within(patience, registered);
  }
}
