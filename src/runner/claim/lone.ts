import type { OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import type { Slots } from "./slots.ts";

/** What {@linkcode LoneJobs} needs from its process. */
export interface Lonely {
  readonly process: string;
  readonly slots: Slots;
  /** The running jobs. */
  readonly running: ReadonlyMap<string, unknown>;
}

/** Intervals in milliseconds. */
export interface LoneTiming {
  readonly poll: number;
  readonly lease: number;
}

/** An idle process makes up for a lost wake-up after this many polls. */
const pollsWhileIdle = 15;

/**
 * Runs jobs that must run alone. Their process has died twice, and any of its jobs may be the
 * cause. An idle process takes such a job at once. A busy process stops beginning other jobs when
 * no process has taken it for a lease, and does so for one lease at most.
 */
export class LoneJobs {
  readonly #runtime: Runtime;
  readonly #host: Lonely;
  readonly #timing: LoneTiming;
  /** The job that runs alone here; `"claiming"` during an attempt to claim one. */
  #job: string | undefined;
  #lookedAt = -Infinity;
  /** Whether there may be such a job: a wake-up has arrived. */
  #woken = false;
  /** When such a job began to wait for this busy process. */
  #waitsSince = Infinity;
  #patience = 0;
  #draining = false;

  constructor(runtime: Runtime, host: Lonely, timing: LoneTiming) {
    this.#runtime = runtime;
    this.#host = host;
    this.#timing = timing;
  }

  /** Whether no other job may begin here. */
  get excludes(): boolean {
    return this.#job !== undefined || this.#draining;
  }

  /** Reports that there may be such a job. */
  wake(): void {
    this.#woken = true;
  }

  /**
   * Looks for such a job once per poll, and less often while the process is idle. Returns the job
   * if it was claimed; its slot is taken.
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

  /** Records that a job has ended. Returns true when it was the one that ran alone. */
  done(job: string): boolean {
    if (this.#job !== job) return false;
    this.#job = undefined;
    this.#lookedAt = -Infinity;
    return true;
  }

  async #claim(): Promise<OwnedJob | undefined> {
    const { process, slots } = this.#host;
    // Keeps other jobs from beginning during the claim.
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
      // Staggers processes, and limits the wait: this process's other steps may take hours.
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
