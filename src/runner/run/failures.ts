import {
  type Failure,
  failure,
  type FailureForm,
  inForm,
  withFailure,
} from "../../core/value/failure.ts";
import { type Host, leaseOf, type OwnedJob, passOf } from "../host.ts";
import { aboutJob } from "../observe.ts";
import type { Runtime } from "../runtime.ts";
import { commitAlone } from "../turn/commit_alone.ts";
import type { InstanceCache } from "../turn/instance_cache.ts";
import { isUnreachable, pause } from "../upkeep/outage.ts";
import { failedResult } from "./outcome.ts";
import { judgeInTime, type Verdict } from "./verdict.ts";

/** Facts about an attempt that failed. */
export interface Failed {
  /** Whether user code has run in it. */
  readonly ran: boolean;
  /** Its duration in milliseconds. */
  readonly duration?: number;
}

const forms: readonly FailureForm[] = ["whole", "plain", "bare"];

const putOffByOutage: Verdict = { kind: "snooze", delay: 1_000 };
const shortestPause = 500;
const longestPause = 60_000;

/** Settles attempts that have failed. */
export class Failures {
  readonly #runtime: Runtime;
  readonly #host: Host;
  readonly #instances: InstanceCache;
  /** Whether the current outage was reported: once for all the attempts that it affects. */
  #away = false;

  constructor(runtime: Runtime, host: Host, instances: InstanceCache) {
    this.#runtime = runtime;
    this.#host = host;
    this.#instances = instances;
  }

  /**
   * Judges the error of a job and writes the verdict. Retries until it is written or the process
   * gives up, because a failed attempt that is not written would not be counted. Never rejects.
   */
  async settle(job: OwnedJob, thrown: unknown, failed: Failed): Promise<Verdict> {
    const { ran, duration: spent } = failed;
    const judged = judgeInTime(this.#runtime, job, thrown, { ran, spent });
    const { error } = judged;
    let { verdict } = judged;
    let form = 0;
    let refused = 0;
    let unreachable = 0;
    for (;;) {
      try {
        await this.#carryOut(job, verdict, failure(error), failed, forms[form]!);
        this.#away = false;
        return verdict;
      } catch (trouble) {
        if (isUnreachable(trouble)) {
          this.#logOutage(trouble);
          // Twice in a row means that the database is down for everyone, not that one connection of
          // the step was lost.
          if (++unreachable === 2 && isUnreachable(error)) verdict = putOffByOutage;
        } else {
          unreachable = 0;
          if (form === 0 && refused === 0) this.#logRefusal(job, trouble);
          form = (form + 1) % forms.length;
          if (form > 0) continue;
          if (refused++ === 0) this.#logStuck(job, trouble);
          // Writing the verdict may take long, and another job needs the slot.
          job.slot.release();
        }
      }
      const milliseconds = Math.min(longestPause, shortestPause * 2 ** refused);
      if (await pause(this.#host.givenUp, milliseconds)) continue;
      this.#host.unsettled(job);
      return verdict;
    }
  }

  async #carryOut(
    job: OwnedJob,
    verdict: Verdict,
    error: Failure,
    failed: Failed,
    form: FailureForm,
  ): Promise<void> {
    if (verdict.kind === "discard") return await this.#discard(job, error, failed, form);
    const { telemetry, backend: { queue } } = this.#runtime;
    const lease = leaseOf(job);
    const { delay } = verdict;
    if (verdict.kind === "snooze") {
      if (await queue.snooze(lease, delay)) {
        telemetry.emit("job:snooze", { ...aboutJob(job), delay });
      }
    } else {
      const held = form === "bare"
        ? await queue.snooze(lease, delay, { counted: true })
        : await queue.retry(lease, withFailure(job.errors, inForm(error, form)), delay);
      if (held) this.#reportRetry(job, error, delay);
    }
    // Without this, the retry could be up to one poll interval late.
    this.#host.expect(job.queue, Math.max(1, delay));
  }

  /** Discards a step: its failure ends it, as an outcome would. */
  async #discard(
    job: OwnedJob,
    error: Failure,
    { duration }: Failed,
    form: FailureForm,
  ): Promise<void> {
    using slots = this.#host.slots.hold();
    const { backend: { store }, registry } = this.#runtime;
    const workflow = registry.get(job.workflow, job.version);
    const result = failedResult(workflow, job, inForm(error, form), duration);
    // A delivery may end an asynchronous step at the same time.
    const recordOnly = workflow.steps.get(job.step ?? "")?.asynchronous === true;
    const context = { runtime: this.#runtime, host: this.#host, instances: this.#instances };
    const written = await commitAlone(context, store, job, result, { slots, recordOnly, form });
    if (written) written();
    else await store.pass([passOf(job)]);
  }

  #reportRetry(job: OwnedJob, error: Failure, delay: number): void {
    const { telemetry, logger } = this.#runtime;
    telemetry.emit("job:retry", { ...aboutJob(job), error, delay });
    const about = { ...this.#about(job), error, delay };
    if (job.maxAttempts !== undefined) {
      logger.debug("An attempt of a step failed. It will be retried", about);
    } else if (job.errors.at(-1)?.message !== error.message) {
      logger.warn("Cannot advance an instance. Retrying until it succeeds", about);
    }
  }

  #logOutage(trouble: unknown): void {
    if (this.#away) return;
    this.#away = true;
    this.#runtime.logger.warn(
      "Cannot record failed attempts. Retrying until the database is available",
      {
        error: failure(trouble),
      },
    );
  }

  #logRefusal(job: OwnedJob, trouble: unknown): void {
    this.#runtime.logger.warn(
      "Cannot record a failed attempt: the database rejected it. Retrying with less detail",
      { ...this.#about(job), error: failure(trouble) },
    );
  }

  #logStuck(job: OwnedJob, trouble: unknown): void {
    this.#runtime.logger.error(
      "Cannot record a failed attempt: the database rejects it even without details. Retrying, and the step does not run in the meantime",
      { ...this.#about(job), error: failure(trouble) },
    );
  }

  #about(job: OwnedJob): object {
    const { id, kind, workflow, version, instance, step, attempt, maxAttempts } = job;
    const key = this.#instances.get(instance)?.state.key;
    return {
      workflow,
      version,
      key,
      instance,
      step,
      kind,
      job: id,
      attempt,
      attempts: maxAttempts,
    };
  }
}
