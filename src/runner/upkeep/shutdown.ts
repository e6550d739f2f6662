import { failure } from "../../core/value/failure.ts";
import type { Logger } from "../../observe/logger.ts";
import type { Running } from "../claim/running.ts";
import { pause, unlessAborted, within } from "./outage.ts";

/** A process that stops. */
export interface Stopping {
  /** Its id; `""` when it has not begun. */
  readonly process: string;
  readonly logger: Logger;
  readonly running: Running;
  /** Resolves when no registration is on its way any more. */
  readonly registered: Promise<void>;
  /** Ends what begins new work. */
  endLoops(): Promise<unknown>;
  /** Gives back what is left, and takes the process out of the database. */
  leave(): Promise<void>;
}

/**
 * Milliseconds that a stop may take beside its grace, each: until what was aborted is over, and
 * until it has left.
 */
const patience = 3_000;

/** The reason of an abort after which the job is given back, without using up the attempt. */
export const givenBack: Error = new Error("The process is stopping");

/** How a process stops: its steps may end for a while, are aborted then, and are given back. */
export class Shutdown {
  readonly #graceOver = new AbortController();
  readonly #givenUp = new AbortController();

  /** Aborts when running steps may go on no longer. */
  get graceOver(): AbortSignal {
    return this.#graceOver.signal;
  }

  /** Aborts when the process gives up: nothing is tried again after that. */
  get givenUp(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Nothing has begun that would have to end in order. */
  giveUp(): void {
    this.#givenUp.abort();
  }

  /** Lets running steps go on for so many milliseconds at most. */
  limit(grace: number): void {
    void pause(this.givenUp, grace).then(() => this.#graceOver.abort());
  }

  async run({ process, logger, running, registered, endLoops, leave }: Stopping): Promise<void> {
    // A claim that is under way may still bring something.
    const drained = endLoops().then(() => running.drained());
    await unlessAborted(this.graceOver, drained);
    this.#graceOver.abort();
    running.abort(givenBack);
    await within(patience, drained);
    this.#givenUp.abort();
    const late = "Cannot leave in order: the lease ends by itself";
    const left = leave().catch((error) => {
      logger.warn(late, { process, error: failure(error) });
    });
    if (!(await within(patience, left))) {
      logger.warn(late, { process, reason: "no answer came in time" });
    }
    if (process === "") await within(patience, registered);
  }
}
