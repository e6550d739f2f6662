import type { OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import type { Slots } from "./slots.ts";

/** What lone jobs need of their process. */
export interface Lonely {
  readonly process: string;
  readonly slots: Slots;
  /** What runs here. */
  readonly running: ReadonlyMap<string, unknown>;
}

/** What a process with lone jobs needs to know of time, in milliseconds. */
export interface LoneTiming {
  readonly poll: number;
  readonly lease: number;
}

/** A wake-up that was lost is made up for after so many polls of an idle process. */
const pollsWhileIdle = 15;

/**
 * Runs jobs that must run alone: their process has died twice, and nobody knows whether it was they
 * who killed it. An idle process takes such a job at once. A busy one begins nothing else, for a
 * lease at most, when nobody has taken it for a lease.
 */
export class LoneJobs {
  readonly #runtime: Runtime;
  readonly #host: Lonely;
  readonly #timing: LoneTiming;
  /** The job that runs alone here; `"claiming"` while it may be about to. */
  #job: string | undefined;
  #lookedAt = -Infinity;
  /** Whether there may be one: somebody has said that there is work. */
  #woken = false;
  /** Since when such a job has waited while this process was busy. */
  #waitsSince = Infinity;
  #patience = 0;
  #draining = false;

  constructor(runtime: Runtime, host: Lonely, timing: LoneTiming) {
    this.#runtime = runtime;
    this.#host = host;
    this.#timing = timing;
  }

  /** Whether nothing else may begin here. */
  get excludes(): boolean {
    return this.#job !== undefined || this.#draining;
  }

  /** There may be such a job. */
  wake(): void {
    this.#woken = true;
  }

  /**
   * Looks for such a job, once a poll, and more seldom while nothing else happens. Returns it where
   * it is claimed: its slot is taken.
   */
  async look(): Promise<OwnedJob | undefined> {
    if (this.#job !== undefined) return undefined;
    const now = performance.now();
    const idle = this.#host.running.size === 0 && this.#host.slots.idle;
    const polls = idle && !this.#woken ? pollsWhileIdle : 1;
    const due = now >= this.#lookedAt + polls * this.#timing.poll;
    if (!due && !(this.#draining && idle)) return undefined;
    this.#lookedAt = now;
    this.#woken = false;
    if (idle) return await this.#claim();
    await this.#wait(now);
    return undefined;
  }

  /** A job is over. True when that was the one that ran alone. */
  done(job: string): boolean {
    if (this.#job !== job) return false;
    this.#job = undefined;
    this.#lookedAt = -Infinity;
    return true;
  }

  async #claim(): Promise<OwnedJob | undefined> {
    const { process, slots } = this.#host;
    // Nobody else may begin anything meanwhile.
    this.#job = "claiming";
    let id: string | undefined;
    try {
      const demand = { process, queues: [...slots.limits.keys()], serves: this.#serves };
      const job = await this.#runtime.backend.queue.claimLone(demand);
      id = job?.id;
      using held = slots.hold();
      return job && { ...job, process, slot: held.handOver(job.queue) };
    } finally {
      this.#job = id;
      this.#draining = false;
      this.#waitsSince = Infinity;
    }
  }

  async #wait(now: number): Promise<void> {
    const queues = [...this.#host.slots.limits.keys()];
    const { lease } = this.#timing;
    if (!(await this.#runtime.backend.queue.loneWaits({ queues, serves: this.#serves }))) {
      this.#waitsSince = Infinity;
      this.#draining = false;
    } else if (this.#waitsSince === Infinity || (this.#draining && now > this.#waitsSince)) {
      // Not all processes at once, nor one for ever: its other steps may take hours.
      this.#waitsSince = now;
      this.#patience = lease * (1 + Math.random());
      this.#draining = false;
    } else if (!this.#draining && now - this.#waitsSince > this.#patience) {
      this.#draining = true;
      this.#waitsSince = now + lease;
    }
  }

  get #serves() {
    return this.#runtime.graphs.served();
  }
}
