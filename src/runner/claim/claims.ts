import type { Job } from "../../backend/job.ts";
import type { Queue } from "../../backend/queue.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import type { InstanceCache } from "../turn/instance_cache.ts";
import { Loop } from "../upkeep/loop.ts";
import { LoneJobs, type Lonely, type LoneTiming } from "./lone.ts";

const largestClaim = 500;
/**
 * How late a transaction may commit, in milliseconds after its jobs became due, and still be found
 * by a short look. After that only a full scan of the queue finds them.
 */
const margin = 10_000;
const wholeEvery = 30_000;

/**
 * Claims jobs for the free slots of a process: at every wake-up, and at every poll because wake-ups
 * can be lost. A wake-up scans the whole queue. A poll scans only jobs that became due since the
 * last scan that reached the end of the queue. Occasionally a poll scans the whole queue too, to
 * find jobs that a long transaction committed late.
 */
export class Claims {
  readonly #runtime: Runtime;
  readonly #host: Host;
  readonly #instances: InstanceCache;
  readonly #poll: number;
  readonly #lone: LoneJobs;
  /** Queues whose last claim hit its limit: there may be more jobs. */
  readonly #more = new Set<string>();
  readonly #claimedAt = new Map<string, number>();
  /** When each queue was last scanned to its end, and when from its beginning. */
  readonly #endSeenAt = new Map<string, number>();
  readonly #wholeAt = new Map<string, number>();
  readonly #loop: Loop;
  #stopped = false;

  constructor(runtime: Runtime, host: Host & Lonely, instances: InstanceCache, timing: LoneTiming) {
    const { poll } = timing;
    this.#runtime = runtime;
    this.#host = host;
    this.#instances = instances;
    this.#poll = poll;
    this.#lone = new LoneJobs(runtime, host, timing);
    this.#loop = new Loop({
      name: "claim jobs",
      interval: poll,
      logger: runtime.logger,
      round: () => this.#round(),
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#loop.stop();
  }

  /** These queues may have new work. An empty list means all queues. */
  wake(queues: readonly string[]): void {
    const { limits } = this.#host.slots;
    const served = queues.filter((queue) => limits.has(queue));
    if (queues.length > 0 && served.length === 0) return;
    for (const queue of queues.length > 0 ? served : limits.keys()) this.#more.add(queue);
    this.#lone.wake();
    this.#loop.wake();
  }

  /** Whether a job runs alone here or is about to, so that nothing else may begin. */
  get exclusive(): boolean {
    return this.#lone.excludes;
  }

  /** Records that a job has ended and its slot is free. */
  done({ id, queue }: Job): void {
    if (this.#lone.done(id)) this.wake([]);
    else if (this.#more.has(queue) || this.#lone.excludes) this.#loop.wake();
  }

  /** Whether a saturated process has not looked at the queue for longer than a poll interval. */
  overdue(queue: string): boolean {
    const claimedAt = this.#claimedAt.get(queue);
    if (claimedAt === undefined || performance.now() - claimedAt < 1.5 * this.#poll) return false;
    this.#more.add(queue);
    this.#loop.wake();
    return true;
  }

  async #round(): Promise<number | undefined> {
    if (!this.#stopped) await this.#claimLone();
    let again = false;
    for (const queue of this.#host.slots.limits.keys()) {
      if (this.#host.accepting && await this.#claim(this.#runtime.backend.queue, queue)) {
        again = true;
      }
    }
    return again ? 0 : undefined;
  }

  /** Claims once. Returns true when there may be more jobs and there are free slots for them. */
  async #claim(from: Queue, queue: string): Promise<boolean> {
    const { process, slots } = this.#host;
    const limit = Math.min(largestClaim, slots.free(queue));
    if (limit === 0) return false;
    const began = performance.now();
    const since = this.#since(queue, began);
    this.#more.delete(queue);
    this.#endSeenAt.delete(queue);
    const serves = this.#runtime.graphs.served();
    const jobs = await this.#reserved(
      process,
      queue,
      limit,
      () => from.claim({ process, queue, limit, serves, since }),
    );
    const now = performance.now();
    this.#claimedAt.set(queue, now);
    if (since === undefined) this.#wholeAt.set(queue, began);
    if (jobs.length === limit) this.#more.add(queue);
    else this.#endSeenAt.set(queue, began);
    if (jobs.length === 0) return false;
    this.#report(process, queue, jobs, now - began);
    const steps = jobs.filter(({ kind }) => kind !== "advance");
    // The workers would load missing instances themselves. One statement for all is cheaper.
    await this.#instances.load(steps.map(({ instance }) => instance)).catch(() => {});
    for (const job of jobs) this.#host.begin(job);
    return jobs.length === limit && slots.free(queue) > 0;
  }

  /** Claims a job that must run alone, and begins it. */
  async #claimLone(): Promise<void> {
    const { process } = this.#host;
    const began = performance.now();
    const job = await this.#lone.look();
    if (job === undefined) return;
    this.#report(process, job.queue, [job], performance.now() - began);
    this.#host.begin(job);
  }

  #report(process: string, queue: string, jobs: readonly Job[], duration: number): void {
    this.#runtime.telemetry.emit("job:claim", {
      process,
      queue,
      jobs: jobs.map(({ id }) => id),
      duration,
    });
  }

  /** How far back to look; `undefined` means the whole queue. */
  #since(queue: string, now: number): number | undefined {
    const endSeenAt = this.#endSeenAt.get(queue);
    const wholeAt = this.#wholeAt.get(queue) ?? -Infinity;
    if (endSeenAt === undefined || this.#more.has(queue) || now - wholeAt > wholeEvery) {
      return undefined;
    }
    return now - endSeenAt + margin;
  }

  /**
   * Holds the slots during a claim, so that a hand-over cannot take them too. Keeps the slots of
   * the jobs that were claimed.
   */
  async #reserved(
    process: string,
    queue: string,
    limit: number,
    claim: () => Promise<readonly Job[]>,
  ): Promise<readonly OwnedJob[]> {
    using slots = this.#host.slots.hold();
    for (let count = 0; count < limit; count++) slots.take(queue);
    const jobs = await claim();
    return jobs.map((job) => ({ ...job, process, slot: slots.handOver(queue) }));
  }
}
