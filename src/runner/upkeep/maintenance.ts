import { unservedNotices } from "../../backend/unserved.ts";
import type { Runtime } from "../runtime.ts";
import { Loop } from "./loop.ts";

/** Times in milliseconds. */
export interface UpkeepTiming {
  readonly poll: number;
  readonly lease: number;
  /** How long discarded and cancelled jobs are kept. */
  readonly keep: number;
}

const stageAtMost = 500;
const busyPause = 20;
const pruneAtMost = 1_000;
/** Maximum time in milliseconds until it is noticed that no process serves a queue. */
const unnoticed = 10_000;

/** Makes due jobs available, finds jobs that no process can take, and deletes old jobs. */
export class Upkeep {
  readonly #runtime: Runtime;
  readonly #timing: UpkeepTiming;
  readonly #staged: (queues: readonly string[]) => void;
  readonly #stager: Loop;
  readonly #janitor: Loop;
  readonly #unserved = new UnservedJobs();

  /** @param staged Called with the queues that have new work. */
  constructor(runtime: Runtime, timing: UpkeepTiming, staged: (queues: readonly string[]) => void) {
    this.#runtime = runtime;
    this.#timing = timing;
    this.#staged = staged;
    const { logger } = runtime;
    this.#stager = new Loop({
      name: "make due jobs available",
      interval: timing.poll,
      logger,
      round: () => this.#stage(),
    });
    this.#janitor = new Loop({
      name: "clean up",
      interval: Math.min(timing.lease, unnoticed),
      logger,
      round: () => this.#cleanUp(),
    });
  }

  start(): void {
    this.#stager.start();
    this.#janitor.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#stager.stop(), this.#janitor.stop()]);
  }

  /** Reports that a job becomes due in so many milliseconds. */
  expect(milliseconds: number): void {
    if (milliseconds > 0) this.#stager.wakeIn(milliseconds);
    else this.#stager.wake();
  }

  async #stage(): Promise<number | undefined> {
    const { queue } = this.#runtime.backend;
    const due = await queue.nextDue(this.#timing.poll);
    if (due > 0) return due;
    const queues = await queue.stage(stageAtMost);
    if (queues.length > 0) this.#staged(queues);
    // Jobs are due but none was staged: another process has locked them.
    return queues.length > 0 ? 0 : busyPause;
  }

  async #cleanUp(): Promise<number | undefined> {
    await this.#unserved.look(this.#runtime);
    const { graphs, backend: { queue } } = this.#runtime;
    // Jobs that a version had to leave alone may be old, so scan all queues completely.
    if (await graphs.look()) this.#staged([]);
    return await queue.prune(this.#timing.keep, pruneAtMost) === pruneAtMost ? 0 : undefined;
  }
}

/** Logs due jobs that no living process can take: once, and again if they reappear. */
export class UnservedJobs {
  #reported: ReadonlySet<string> = new Set();

  async look({ backend, logger }: Runtime): Promise<void> {
    const notices = unservedNotices(await backend.queue.unserved());
    for (const { about, count, sentence } of notices) {
      if (!this.#reported.has(about)) logger.warn(sentence, { count });
    }
    this.#reported = new Set(notices.map(({ about }) => about));
  }
}
