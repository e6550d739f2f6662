import { failure } from "../core/failure.ts";
import type { NewResult, Recording } from "../store/turn.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import { Lanes } from "./lanes.ts";
import type { Parts } from "./parts.ts";
import { isUnreachable, pause } from "./trouble.ts";
import { wakeOf } from "./turns.ts";

interface Waiting {
  readonly job: OwnedJob;
  readonly recording: Recording;
}

const largestBatch = 500;

/** Leaves results for an advance: of waits that somebody else may end too, and of every step where inline is off. */
export class Recorder {
  readonly #parts: Parts;
  readonly #host: Host;
  readonly #failed: (job: OwnedJob, error: unknown) => Promise<void>;
  #waiting: Waiting[] = [];
  readonly #lanes: Lanes<Waiting>;

  constructor(parts: Parts, host: Host, failed: (job: OwnedJob, error: unknown) => Promise<void>) {
    this.#parts = parts;
    this.#host = host;
    this.#failed = failed;
    this.#lanes = new Lanes(
      1,
      () => this.#waiting.splice(0, largestBatch),
      (batch) => this.#write(batch),
    );
  }

  /** Writes a result, ends its job and wakes the advance. */
  submit(job: OwnedJob, result: NewResult): void {
    const workflow = this.#parts.registry.get(job.workflow, job.version);
    const recording: Recording = {
      ...result,
      instance: job.instance,
      version: job.version,
      lease: leaseOf(job),
      wake: wakeOf(this.#parts, workflow),
    };
    this.#waiting.push({ job, recording });
    this.#lanes.wake();
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#parts.backend.store.record(batch.map(({ recording }) => recording));
      for (const waiting of batch) this.#done(waiting);
    } catch (error) {
      if (isUnreachable(error)) await this.#later(batch);
      else if (batch.length > 1) { for (const waiting of batch) await this.#write([waiting]); }
      else await this.#fail(batch, error);
    }
  }

  #done({ job }: Waiting): void {
    this.#host.slots.release(job.queue);
    this.#host.done(job);
  }

  async #later(batch: readonly Waiting[]): Promise<void> {
    if (await pause(this.#host.givenUp)) {
      this.#waiting.push(...batch);
      this.#lanes.wake();
    } else for (const waiting of batch) this.#done(waiting);
  }

  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    for (const { job } of batch) {
      this.#parts.logger.error("Cannot record the result of a job", {
        job: job.id,
        instance: job.instance,
        step: job.step,
        error: failure(error),
      });
      await this.#failed(job, error);
      this.#host.done(job);
    }
  }
}
