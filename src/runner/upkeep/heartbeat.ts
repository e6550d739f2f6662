import type { Lease } from "../../backend/queue.ts";
import { failure } from "../../core/value/failure.ts";
import type { OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import { Loop } from "./loop.ts";
import { reportRescued } from "./rescued.ts";

/** What the heartbeat needs from its process. */
export interface Beating {
  readonly process: string;
  /** The jobs that this process knows it owns, by id. */
  readonly running: ReadonlyMap<string, { readonly job: OwnedJob }>;
  /** Called when another process owns this job now, or when the job is gone. */
  lost(job: OwnedJob): void;
  /** Called when the process was declared dead: it must stop everything and register again. */
  dead(): Promise<void>;
  /** Called when these queues have new work. */
  wake(queues: readonly string[]): void;
}

export interface Timing {
  /** Milliseconds between heartbeats. */
  readonly heartbeat: number;
  /** Milliseconds after which a silent process is declared dead. */
  readonly lease: number;
}

/**
 * Extends the lease of the process, compares the jobs it owns in the database with those it knows,
 * and rescues the jobs of dead processes.
 *
 * A claim or a hand-over can commit while its response is lost. Its process then owns a job that it
 * does not know. Such a job is given back after two heartbeats.
 */
export class Heartbeat {
  readonly #runtime: Runtime;
  readonly #beating: Beating;
  readonly #timing: Timing;
  readonly #loop: Loop;
  #unknown: ReadonlySet<string> = new Set();
  #lastBeat = performance.now();

  constructor(runtime: Runtime, beating: Beating, timing: Timing) {
    this.#runtime = runtime;
    this.#beating = beating;
    this.#timing = timing;
    this.#loop = new Loop({
      name: "send a heartbeat",
      interval: timing.heartbeat,
      logger: runtime.logger,
      round: () => this.#beat(),
    });
  }

  start(): void {
    this.#lastBeat = performance.now();
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Sends a heartbeat now, because ownership of jobs may have changed. */
  wake(): void {
    this.#loop.wake();
  }

  async #beat(): Promise<undefined> {
    const { queue } = this.#runtime.backend;
    const { heartbeat, lease } = this.#timing;
    const late = performance.now() - this.#lastBeat;
    if (late > Math.max(2 * heartbeat, lease / 2)) {
      this.#runtime.logger.warn(
        "The heartbeat is late: the event loop was blocked, or the database was slow",
        {
          process: this.#beating.process,
          milliseconds: Math.round(late),
          lease,
        },
      );
    }
    const before = new Map(this.#beating.running);
    const beat = await queue.heartbeat(this.#beating.process, lease);
    this.#lastBeat = performance.now();
    if (beat === undefined) {
      await this.#beating.dead();
      return;
    }
    this.#reconcile(before, beat.owned);
    await this.#giveBack(beat.owned);
    const rescued = await queue.rescue(this.#beating.process);
    if (rescued.processes.length === 0) return;
    reportRescued(this.#runtime, rescued);
    this.#beating.wake(rescued.queues);
  }

  #reconcile(before: Beating["running"], owned: readonly Lease[]): void {
    const ours = new Set(owned.map(key));
    for (const [id, { job }] of before) {
      if (!ours.has(key(job)) && this.#beating.running.get(id)?.job === job) {
        this.#beating.lost(job);
      }
    }
  }

  async #giveBack(owned: readonly Lease[]): Promise<void> {
    const { running } = this.#beating;
    const unknown = owned.filter(({ id, token }) => running.get(id)?.job.token !== token);
    const twice = unknown.filter((lease) => this.#unknown.has(key(lease)));
    this.#unknown = new Set(unknown.map(key));
    if (twice.length === 0) return;
    this.#runtime.logger.warn(
      "This process owns jobs that it does not know. They return to the queue",
      {
        process: this.#beating.process,
        jobs: twice.map(({ id }) => id),
      },
    );
    await this.#runtime.backend.queue.release(twice).catch((error) => {
      this.#runtime.logger.warn("Cannot return jobs to the queue", { error: failure(error) });
    });
  }
}

function key({ id, token }: Pick<Lease, "id" | "token">): string {
  return `${id}#${token}`;
}
