import { RetryLaterError } from "../core/errors.ts";
import { failure } from "../core/failure.ts";
import type { Attempt, Workers } from "./attempt.ts";
import { type Cancellation, isPromise } from "./cancellation.ts";
import { contextOf, isLater, read, type Reading, transactionOf } from "./context.ts";
import { endedWith, later, observeEnd } from "./ended.ts";
import { leaseOf, type OwnedJob } from "./host.ts";
import { aboutAttempt } from "./observe.ts";
import type { Cached } from "./instances.ts";
import type { Parts } from "./parts.ts";
import { recordInTransaction } from "./transaction.ts";
import type { Ended } from "./turns.ts";
import { settleFailure } from "./verdicts.ts";

/** The execute worker: runs one step and records its result. Never writes an instance by itself. Never rejects. */
export function execute(
  workers: Workers,
  job: OwnedJob,
  cancellation: Cancellation,
): Promise<void> {
  const { instances } = workers;
  const run = new Run(workers, job, cancellation);
  const cached = instances.get(job.instance);
  if (cached !== undefined) return run.with(cached);
  return instances.load([job.instance]).then(
    () => run.with(instances.get(job.instance)),
    (error) => run.failed(error),
  );
}

/**
 * One attempt of one step. A step that neither waits nor needs the store goes through without a promise of its own: they would
 * cost more than all the rest.
 */
class Run {
  readonly #workers: Workers;
  readonly #job: OwnedJob;
  readonly #cancellation: Cancellation;
  readonly #began = performance.now();
  #attempt: Attempt | undefined;

  constructor(workers: Workers, job: OwnedJob, cancellation: Cancellation) {
    this.#workers = workers;
    this.#job = job;
    this.#cancellation = cancellation;
  }

  /** Runs it on what is known of its instance. */
  with(cached: Cached | undefined): Promise<void> {
    const job = this.#job;
    try {
      const workflow = this.#workers.parts.registry.get(job.workflow, job.version);
      const step = workflow.steps.get(job.step ?? "");
      if (step === undefined) {
        throw new RetryLaterError({ after: "1m", reason: `step "${job.step}" is not here` });
      }
      if (cached === undefined || !cached.known.control.active.has(step.name)) {
        return this.#look(step.name).catch((error) => this.failed(error));
      }
      this.#attempt = { job, workflow, step, cached, began: this.#began };
      return this.#code(this.#attempt);
    } catch (error) {
      return this.failed(error);
    }
  }

  /** Others may have moved the instance since it was seen here: what is read now decides whether the step is over. */
  async #look(step: string): Promise<void> {
    const { parts, host, instances } = this.#workers;
    const job = this.#job;
    const fresh = await instances.fresh(job.instance);
    if (fresh?.known.control.active.has(step)) return await this.with(fresh);
    await parts.backend.store.pass([{ lease: leaseOf(job), instance: job.instance, ignored: [] }]);
    host.slots.release(job.queue);
  }

  #code(attempt: Attempt): Promise<void> {
    const returned = runCode(this.#workers.parts, attempt, this.#cancellation);
    if (!isPromise(returned)) return this.#end(attempt, returned);
    return returned.then((returned) => this.#end(attempt, returned))
      .catch((error) => this.failed(error));
  }

  #end(attempt: Attempt, returned: unknown): Promise<void> {
    const workers = this.#workers;
    const work = transactionOf(returned);
    if (work !== undefined) {
      return recordInTransaction(workers, attempt, work, this.#cancellation)
        .catch((error) => this.failed(error));
    }
    const ended = isLater(attempt.step, returned)
      ? later(attempt)
      : endedWith(workers.parts, attempt, returned);
    if (!isPromise(ended)) return submit(workers, attempt, ended);
    return ended.then((ended) => submit(workers, attempt, ended))
      .catch((error) => this.failed(error));
  }

  /** Settles an attempt that threw. */
  async failed(error: unknown): Promise<void> {
    const { parts, host } = this.#workers;
    const job = this.#job;
    if (this.#cancellation.reason === givenBack) return await giveBack(this.#workers, job);
    const duration = performance.now() - this.#began;
    const verdict = await settleFailure(parts, host, job, error, duration);
    if (this.#attempt === undefined || !parts.telemetry.has("step:exception")) return;
    parts.telemetry.emit("step:exception", {
      ...aboutAttempt(this.#attempt.cached.known, job),
      error: failure(error),
      duration,
      verdict: verdict.kind,
    });
  }
}

/** The reason of an abort after which the job is given back, without using up the attempt. */
export const givenBack: Error = new Error("The process is stopping");

async function giveBack({ parts, host }: Workers, job: OwnedJob): Promise<void> {
  await parts.backend.queue.release([leaseOf(job)]).catch((error) => {
    parts.logger.warn("Cannot give a job back", { job: job.id, error: failure(error) });
  });
  host.slots.release(job.queue);
}

function runCode(parts: Parts, attempt: Attempt, cancellation: Cancellation): unknown {
  const { job, step } = attempt;
  if (job.maxAttempts !== undefined && job.attempt > job.maxAttempts) {
    throw new Error(
      `Cannot run step "${step.name}": the process died in each of its ${job.maxAttempts} attempts`,
    );
  }
  const run = (known: Reading) => {
    const context = contextOf(attempt, known, cancellation);
    if (parts.telemetry.has("step:start")) {
      parts.telemetry.emit("step:start", aboutAttempt(attempt.cached.known, job));
    }
    return cancellation.run(step.name, step.timeout, () => step.run?.(context));
  };
  const reading = read(parts.backend.store, attempt);
  return reading instanceof Promise ? reading.then(run) : run(reading);
}

/** Hands a result over to be written. */
function submit({ parts, committer, recorder }: Workers, attempt: Attempt, ended: Ended) {
  const { job, step } = attempt;
  observeEnd(parts, attempt, ended);
  // The result of an asynchronous step may be a delivery's that comes at the same time: the first one stands.
  const shared = step.asynchronous && ended.activation > 0;
  return parts.inline && !shared
    ? committer.submit(job, ended)
    : recorder.submit(job, ended.result);
}
