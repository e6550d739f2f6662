import type { NewResult, Recording } from "../../backend/turn.ts";
import type { Host, OwnedJob } from "../host.ts";
import type { Failures } from "../run/failures.ts";
import type { Runtime } from "../runtime.ts";
import { isUnreachable, pause } from "../upkeep/outage.ts";
import { Lanes } from "./batches.ts";
import { recording } from "./commit_alone.ts";

interface WaitingResult {
  readonly job: OwnedJob;
  readonly recording: Recording;
  /** Called after the write. `stands` is whether the result was kept. */
  readonly written: ((kept: boolean) => void) | undefined;
}

const largestBatch = 500;

/**
 * Leaves results to an advance: results of waits that may also end elsewhere, and of every step
 * when inline is off.
 */
export class Recorder {
  readonly #runtime: Runtime;
  readonly #host: Host;
  readonly #failures: Failures;
  #waiting: WaitingResult[] = [];
  readonly #lanes: Lanes<WaitingResult>;

  constructor(runtime: Runtime, host: Host, failures: Failures) {
    this.#runtime = runtime;
    this.#host = host;
    this.#failures = failures;
    this.#lanes = new Lanes(
      1,
      () => this.#waiting.splice(0, largestBatch),
      (batch) => this.#write(batch),
    );
  }

  /** Writes a result, ends its job and wakes the advance. */
  submit(job: OwnedJob, result: NewResult, written?: WaitingResult["written"]): void {
    this.#waiting.push({ job, recording: recording(this.#runtime, job, { result }), written });
    this.#lanes.wake();
  }

  async #write(batch: readonly WaitingResult[]): Promise<void> {
    try {
      const standing = await this.#runtime.backend.store.record(
        batch.map(({ recording }) => recording),
      );
      for (const { job, written } of batch) {
        const kept = standing.has(job.id);
        written?.(kept);
        if (kept) this.#host.stopped(job);
        this.#host.done(job);
      }
    } catch (error) {
      if (isUnreachable(error)) await this.#later(batch);
      else if (batch.length > 1) { for (const waiting of batch) await this.#write([waiting]); }
      else await this.#refused(batch, error);
    }
  }

  async #later(batch: readonly WaitingResult[]): Promise<void> {
    if (await pause(this.#host.givenUp)) {
      this.#waiting.push(...batch);
      this.#lanes.wake();
    } else for (const { job } of batch) this.#host.done(job);
  }

  async #refused(batch: readonly WaitingResult[], error: unknown): Promise<void> {
    for (const { job } of batch) {
      await this.#failures.settle(job, error, { ran: true });
      this.#host.done(job);
    }
  }
}
