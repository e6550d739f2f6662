import { RetryLaterError } from "../core/errors.ts";
import { failure } from "../core/failure.ts";
import type { Attempt, Workers } from "./attempt.ts";
import type { Cancellation } from "./cancellation.ts";
import { contextOf, isLater, read, transactionOf } from "./context.ts";
import { endedWith, later, observeEnd } from "./ended.ts";
import { leaseOf, type OwnedJob } from "./host.ts";
import { aboutAttempt } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { recordInTransaction } from "./transaction.ts";
import { settleFailure } from "./verdicts.ts";

/** The execute worker: runs one step and records its result. Never writes an instance by itself. Never rejects. */
export async function execute(
  workers: Workers,
  job: OwnedJob,
  cancellation: Cancellation,
): Promise<void> {
  const { parts, host, instances } = workers;
  const began = performance.now();
  let attempt: Attempt | undefined;
  try {
    if (instances.get(job.instance) === undefined) await instances.load([job.instance]);
    const cached = instances.get(job.instance);
    const workflow = parts.registry.get(job.workflow, job.version);
    const step = workflow.steps.get(job.step ?? "");
    if (step === undefined) {
      throw new RetryLaterError({ after: "1m", reason: `step "${job.step}" is not here` });
    }
    if (cached === undefined || !cached.known.control.active.has(step.name)) {
      return await pass(workers, job);
    }
    attempt = { job, workflow, step, cached, began };
    await finish(workers, attempt, await runCode(parts, attempt, cancellation), cancellation);
  } catch (error) {
    if (cancellation.reason === givenBack) return await giveBack(workers, job);
    const duration = performance.now() - began;
    const verdict = await settleFailure(parts, host, job, error, duration);
    if (attempt === undefined || !parts.telemetry.has("step:exception")) return;
    parts.telemetry.emit("step:exception", {
      ...aboutAttempt(attempt.cached.known, job),
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

async function pass({ parts, host, instances }: Workers, job: OwnedJob): Promise<void> {
  const known = (await instances.refresh([job.instance])).get(job.instance);
  if (known?.control.active.has(job.step ?? "")) {
    throw new RetryLaterError({ after: 0 });
  }
  await parts.backend.store.pass([{ lease: leaseOf(job), instance: job.instance, ignored: [] }]);
  host.slots.release(job.queue);
}

async function runCode(
  parts: Parts,
  attempt: Attempt,
  cancellation: Cancellation,
): Promise<unknown> {
  const { job, step, cached } = attempt;
  if (job.maxAttempts !== undefined && job.attempt > job.maxAttempts) {
    throw new Error(
      `Cannot run step "${step.name}": the process died in each of its ${job.maxAttempts} attempts`,
    );
  }
  const reading = read(parts.backend.store, attempt);
  const known = reading instanceof Promise ? await reading : reading;
  const context = contextOf(attempt, known, cancellation);
  if (parts.telemetry.has("step:start")) {
    parts.telemetry.emit("step:start", aboutAttempt(cached.known, job));
  }
  return await cancellation.run(step.name, step.timeout, () => step.run?.(context));
}

async function finish(
  workers: Workers,
  attempt: Attempt,
  returned: unknown,
  cancellation: Cancellation,
): Promise<void> {
  const { parts, committer, recorder } = workers;
  const { job, step } = attempt;
  const work = transactionOf(returned);
  if (work !== undefined) return await recordInTransaction(workers, attempt, work, cancellation);
  const ended = isLater(step, returned)
    ? later(attempt)
    : await endedWith(parts, attempt, returned);
  observeEnd(parts, attempt, ended);
  // The result of an asynchronous step may be a delivery's that comes at the same time: the first one stands.
  const shared = step.asynchronous && ended.activation > 0;
  if (parts.inline && !shared) await committer.submit(job, ended);
  else await recorder.submit(job, ended.result);
}
