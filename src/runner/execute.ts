import { LATER } from "../core/engine.ts";
import { RetryLaterError } from "../core/errors.ts";
import { failure } from "../core/failure.ts";
import type { StepDefinition } from "../core/step.ts";
import type { Workflow } from "../core/workflow.ts";
import type { NewResult } from "../store/turn.ts";
import type { Committer } from "./committer.ts";
import type { Cancellation } from "./cancellation.ts";
import { contextOf, isLater, read, transactionOf } from "./context.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import type { Cached, Instances } from "./instances.ts";
import { aboutAttempt } from "./observe.ts";
import { checkOutcome } from "./outcome.ts";
import type { Parts } from "./parts.ts";
import type { Recorder } from "./recorder.ts";
import { recordInTransaction } from "./transaction.ts";
import type { Ended } from "./turns.ts";
import { settleFailure } from "./verdicts.ts";

/** What the three workers of a process share. */
export interface Workers {
  readonly parts: Parts;
  readonly host: Host;
  readonly instances: Instances;
  readonly committer: Committer;
  readonly recorder: Recorder;
}

/** One attempt: everything that belongs to a step being run. */
export interface Attempt {
  readonly job: OwnedJob;
  readonly workflow: Workflow;
  readonly step: StepDefinition;
  readonly cached: Cached;
  readonly began: number;
}

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

/** Checks what a step has returned and makes the result of it. */
export async function endedWith(
  parts: Parts,
  attempt: Attempt,
  returned: unknown,
): Promise<Ended> {
  const checked = checkOutcome(attempt.step, returned, parts.payloadLimit);
  const { event, output, metadata, texts } = checked instanceof Promise ? await checked : checked;
  return ended(attempt, { activation: 1, event, output, metadata }, texts);
}

/** An asynchronous step waits from now on. Its row must not take the place of the delivery that ends the wait. */
function later(attempt: Attempt): Ended {
  const nothing = { output: undefined, metadata: undefined };
  return ended(attempt, { activation: -1, event: LATER, ...nothing }, nothing);
}

function ended(
  { job, step, began }: Attempt,
  { activation, event, output, metadata }: Omit<Ended, "step" | "result">,
  texts: Pick<NewResult, "output" | "metadata">,
): Ended {
  return {
    step: step.name,
    activation,
    event,
    output,
    metadata,
    result: {
      step: step.name,
      activation,
      event,
      output: texts.output,
      metadata: texts.metadata,
      attempt: job.attempt,
      errors: job.errors.length > 0 ? JSON.stringify(job.errors) : undefined,
      duration: Math.round(performance.now() - began),
    },
  };
}

/** Tells listeners how an attempt ended. */
export function observeEnd(
  { telemetry }: Parts,
  { cached, job, began }: Attempt,
  { activation, event }: Ended,
): void {
  const name = activation < 0 ? "step:async" : "step:stop";
  if (!telemetry.has(name)) return;
  const about = { ...aboutAttempt(cached.known, job), duration: performance.now() - began };
  if (name === "step:async") telemetry.emit(name, about);
  else telemetry.emit(name, { ...about, event });
}
