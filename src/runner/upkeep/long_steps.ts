import { titleOf } from "../../core/value/identity.ts";
import type { Running, RunningJob } from "../claim/running.ts";
import type { Runtime } from "../runtime.ts";
import type { InstanceCache } from "../turn/instance_cache.ts";
import { Loop } from "./loop.ts";

const shortest = 10;
const longest = 5_000;

/**
 * Logs steps that run for long, once per attempt. One loop checks all steps, because a timer per
 * step would slow down every step.
 */
export class LongSteps {
  readonly #runtime: Runtime;
  readonly #instances: InstanceCache;
  readonly #running: Running;
  readonly #warnAfter: number;
  readonly #warned = new WeakSet<RunningJob>();
  readonly #loop: Loop;

  /** @param warnAfter Milliseconds that a step may run before it is logged. */
  constructor(runtime: Runtime, instances: InstanceCache, running: Running, warnAfter: number) {
    this.#runtime = runtime;
    this.#instances = instances;
    this.#running = running;
    this.#warnAfter = warnAfter;
    this.#loop = new Loop({
      name: "look for long steps",
      interval: Math.min(Math.max(warnAfter / 4, shortest), longest),
      logger: runtime.logger,
      round: () => this.#look(),
    });
  }

  /** Does nothing if the warning is disabled. */
  start(): void {
    if (this.#warnAfter > 0) this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #look(): Promise<undefined> {
    const before = performance.now() - this.#warnAfter;
    for (const one of this.#running.jobs.values()) {
      if (one.began > before || one.job.kind !== "execute" || this.#warned.has(one)) continue;
      this.#warned.add(one);
      this.#warn(one);
    }
    return Promise.resolve(undefined);
  }

  #warn({ job, began }: RunningJob): void {
    const { workflow, version, instance, step, attempt } = job;
    const key = this.#instances.get(instance)?.state.key;
    const seconds = Math.round((performance.now() - began) / 1_000);
    const since = new Date(Date.now() - (performance.now() - began)).toISOString();
    this.#runtime.logger.warn(
      `Step "${step}" of ${
        titleOf(workflow, key, instance)
      } has been running for ${seconds} s (attempt ${attempt})`,
      { workflow, version, key, instance, step, attempt, job: job.id, since },
    );
  }
}
