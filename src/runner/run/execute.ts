import type { Context } from "../../core/define/context.ts";
import type { UndoContext } from "../../core/define/undo.ts";
import { isItem } from "../../core/each/items.ts";
import { isUndo } from "../../core/engine/activation.ts";
import { LATER } from "../../core/engine/progress.ts";
import { HephaestusError, RetryLaterError, StepTimeoutError } from "../../core/errors/errors.ts";
import { stepIn } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { andThen, isPromise } from "../../core/value/promise.ts";
import { startChild } from "../child/start.ts";
import { readItem } from "../each/context.ts";
import { isRunning, leaseOf, type OwnedJob, passOf } from "../host.ts";
import { aboutAttempt, observeEnd } from "../observe.ts";
import type { CachedInstance } from "../turn/instance_cache.ts";
import { givenBack } from "../upkeep/shutdown.ts";
import { type Attempt, deadlinePassed, leftOf, limitOf, timeoutOf } from "./attempt.ts";
import type { Cancellation, Limit } from "./cancellation.ts";
import { isLater, read, StepContext, transactionOf } from "./context.ts";
import { type LocalResult, resultOf, waitResult } from "./outcome.ts";
import { recordInTransaction } from "./step_transaction.ts";
import { readUndone, UndoStepContext } from "./undo.ts";
import type { WorkerContext } from "./worker_context.ts";

/**
 * The execute worker: runs one step and submits its result. It never writes an instance itself.
 * Never throws.
 */
export function execute(workers: WorkerContext, job: OwnedJob, cancellation: Cancellation): void {
  const { instances } = workers;
  const run = new Run(workers, job, cancellation);
  const cached = instances.get(job.instance);
  if (cached !== undefined) return run.with(cached);
  instances.load([job.instance]).then(
    () => run.with(instances.get(job.instance)),
    (error) => run.failed(error),
  );
}

/**
 * One attempt of one step. A step that neither waits nor needs the store runs without any promise,
 * because promises would cost more than everything else.
 */
class Run {
  readonly #workers: WorkerContext;
  readonly #job: OwnedJob;
  readonly #cancellation: Cancellation;
  readonly #began = performance.now();
  #attempt: Attempt | undefined;
  /** When the code of the step was called; `undefined` before that. */
  #called: number | undefined;
  /** The time limit of this attempt in milliseconds. */
  #timeout: number | undefined;

  constructor(workers: WorkerContext, job: OwnedJob, cancellation: Cancellation) {
    this.#workers = workers;
    this.#job = job;
    this.#cancellation = cancellation;
  }

  /** Runs the step with the cached state of its instance. */
  with(cached: CachedInstance | undefined): void {
    const job = this.#job;
    try {
      const workflow = this.#workers.runtime.registry.get(job.workflow, job.version);
      const step = stepIn(workflow, job.step ?? "");
      if (step === undefined) {
        throw new RetryLaterError({
          after: "1m",
          reason: `this process has no step "${job.step}"`,
        });
      }
      // An instance that was moved to another version is cached with its former one.
      const isKnown = cached?.state.version === job.version && isRunning(cached.state, job);
      if (!isKnown) return this.#await(this.#look());
      this.#attempt = { job, workflow, step, cached, began: this.#began };
      this.#code(this.#attempt);
    } catch (error) {
      this.failed(error);
    }
  }

  #await(work: Promise<void>): void {
    work.catch((error) => this.failed(error));
  }

  /**
   * Others may have advanced the instance since it was cached. Read it now to decide whether the
   * step has ended.
   */
  async #look(): Promise<void> {
    const { runtime, host, instances } = this.#workers;
    const job = this.#job;
    const fresh = await instances.fresh(job.instance);
    if (fresh !== undefined && fresh.state.version !== job.version) {
      const reason = `the instance has version ${fresh.state.version}, not ${job.version}`;
      throw new RetryLaterError({ after: "1s", reason });
    }
    if (fresh && isRunning(fresh.state, job)) return this.with(fresh);
    await runtime.backend.store.pass([passOf(job)]);
    host.done(job);
  }

  #code(attempt: Attempt): void {
    const ended = andThen(this.#run(attempt), (returned) => this.#end(attempt, returned));
    if (isPromise(ended)) this.#await(ended);
  }

  #run(attempt: Attempt): unknown {
    const { job, step } = attempt;
    if (job.maxAttempts !== undefined && job.attempt > job.maxAttempts) {
      throw new HephaestusError(
        "DISCARDED",
        `Cannot run step "${step.name}": the process died in each of its ${job.maxAttempts} attempts`,
      );
    }
    const { store } = this.#workers.runtime.backend;
    if (isUndo(job.step ?? "")) {
      return readUndone(store, attempt).then((reading) =>
        this.#call(attempt, new UndoStepContext(attempt, reading, this.#cancellation))
      );
    }
    if (isItem(job.step ?? "")) {
      const reading = readItem(store, attempt, this.#cancellation);
      return andThen(reading, (context) => this.#call(attempt, context));
    }
    return andThen(
      read(store, attempt),
      (reading) =>
        attempt.step.child === undefined
          ? this.#call(attempt, new StepContext(attempt, reading, this.#cancellation))
          : startChild(this.#workers, attempt, attempt.step.child, reading),
    );
  }

  #call(attempt: Attempt, context: Context | UndoContext): unknown {
    const { job, step, cached } = attempt;
    const { telemetry } = this.#workers.runtime;
    this.#timeout = timeoutOf(attempt, context);
    this.#refuseLate(attempt);
    if (telemetry.has("step:start")) telemetry.emit("step:start", aboutAttempt(cached.state, job));
    this.#called = performance.now();
    return this.#cancellation.run(this.#limit(attempt), () => step.run?.(context as Context));
  }

  /** Code whose time is over is not called. */
  #refuseLate({ job, step }: Attempt): void {
    const left = leftOf(job, performance.now() - this.#began);
    if (left !== undefined && left <= 0) throw deadlinePassed(job);
    if (this.#timeout === undefined || this.#timeout > 0) return;
    throw new StepTimeoutError({ step: step.name, limit: 0 });
  }

  #end(attempt: Attempt, returned: unknown): void {
    if (attempt.step.child !== undefined) return;
    const workers = this.#workers;
    const code = transactionOf(returned);
    if (code !== undefined) {
      const { host } = workers;
      const work = { code, limit: this.#limit(attempt) };
      const recorded = recordInTransaction(workers, attempt, work, this.#cancellation);
      return this.#await(recorded.then(() => host.done(attempt.job)));
    }
    const result = isLater(attempt.step, returned)
      ? waitResult(attempt)
      : resultOf(attempt, returned, workers.runtime.payloadLimit);
    if (!isPromise(result)) return submit(workers, attempt, result);
    const checked = this.#cancellation.run(this.#limit(attempt), () => result);
    this.#await(
      (checked as Promise<LocalResult>).then((result) => submit(workers, attempt, result)),
    );
  }

  /** What is left of the limits of this attempt. */
  #limit(attempt: Attempt): Limit | undefined {
    return limitOf(attempt, this.#timeout, this.#called ?? this.#began);
  }

  /** Settles an attempt that threw. */
  failed(error: unknown): void {
    const { host } = this.#workers;
    const settled = error === givenBack ? this.#giveBack() : this.#settle(error);
    settled.then(() => host.done(this.#job));
  }

  async #settle(error: unknown): Promise<void> {
    const { runtime, failures } = this.#workers;
    const job = this.#job;
    const duration = performance.now() - this.#began;
    const ran = this.#called !== undefined;
    const verdict = await failures.settle(job, error, { ran, duration });
    if (this.#attempt === undefined || !runtime.telemetry.has("step:exception")) return;
    runtime.telemetry.emit("step:exception", {
      ...aboutAttempt(this.#attempt.cached.state, job),
      error: failure(error),
      duration,
      verdict: verdict.kind,
    });
  }

  async #giveBack(): Promise<void> {
    const { runtime } = this.#workers;
    const job = this.#job;
    await runtime.backend.queue.release([leaseOf(job)]).catch((error) => {
      runtime.logger.warn("Cannot return a job to the queue", {
        job: job.id,
        error: failure(error),
      });
    });
  }
}

/** Submits a result to be written. */
function submit(
  { runtime, committer, recorder }: WorkerContext,
  attempt: Attempt,
  result: LocalResult,
): void {
  const { job, step } = attempt;
  observeEnd(runtime.telemetry, attempt, result);
  // A delivery may end an asynchronous step at the same time. The first result wins.
  const shared = step.asynchronous && result.event !== LATER;
  if (runtime.inline && !shared) committer.submit(job, result);
  else recorder.submit(job, result.result);
}
