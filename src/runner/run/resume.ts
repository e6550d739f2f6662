import { deadlineStep } from "../../backend/job.ts";
import type { InstanceState } from "../../backend/store.ts";
import type { NewResult } from "../../backend/turn.ts";
import { anyActivation } from "../../core/engine/activation.ts";
import { awaitedActivation, isActive } from "../../core/engine/control.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { encode, type JsonObject } from "../../core/value/json.ts";
import { otherArguments, runOther } from "../child/other_jobs.ts";
import { isRunning, type OwnedJob, passOf } from "../host.ts";
import { emitResume } from "../observe.ts";
import type { WorkerContext } from "./worker_context.ts";

/** The content of a resume job: the event of a timer, or a scheduled delivery. */
interface Resumption {
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
  readonly delivery?: string;
}

/**
 * The resume worker: turns an elapsed timer or a scheduled delivery into a result. Never rejects.
 */
export async function resume(workers: WorkerContext, job: OwnedJob): Promise<void> {
  const { runtime, host, instances, committer, recorder, failures } = workers;
  // The turn of a deadline reads the instance as an advance does.
  if (job.step === deadlineStep) return committer.submit(job);
  const other = otherArguments(job);
  try {
    if (other !== undefined) return await runOther(workers, job, other);
    await instances.load([job.instance]);
    const delivers = (job.args as Resumption).delivery !== undefined;
    const isOpen = (state: InstanceState | undefined) =>
      state !== undefined && (delivers || isRunning(state, job));
    const state = instances.get(job.instance)?.state;
    if (!isOpen(state) && !isOpen((await instances.refresh([job.instance])).get(job.instance))) {
      await runtime.backend.store.pass([passOf(job)]);
      return host.done(job);
    }
    const step = runtime.registry.step(job.workflow, job.version, job.step);
    const { met, activation } = delivers
      ? await meeting(workers, job)
      : { met: state, activation: job.activation };
    const result = resultOf(job, activation);
    // Only this job can end a timer. A wait with a limit may get a delivery at the same time.
    if (runtime.inline && step?.kind === "timer") {
      committer.submit(job, { ...result, output: undefined, metadata: undefined, result });
    } else recorder.submit(job, result, met && reporter(workers, met, result));
  } catch (error) {
    await failures.settle(job, error, { ran: false });
    host.done(job);
  }
}

/**
 * The instance that a scheduled delivery meets, and the activation that it is for. A cached
 * instance may be in an older round of a loop, or older than a retry, which gives steps another
 * activation.
 */
async function meeting(
  { runtime, instances }: WorkerContext,
  { workflow, version, instance, step = "", activation }: OwnedJob,
): Promise<{ readonly met: InstanceState | undefined; readonly activation: number }> {
  const { graph } = runtime.registry.get(workflow, version);
  const inLoop = graph.loopsAround(step).length > 0;
  const isCode = graph.steps.get(step)?.kind === "step";
  const met = (inLoop || isCode ? undefined : instances.get(instance)?.state) ??
    (await instances.refresh([instance])).get(instance);
  const isFixed = inLoop && activation !== anyActivation;
  return {
    met,
    activation: met && !isFixed ? awaitedActivation(graph, met.control, step) : activation,
  };
}

/** The result of a resume job for this activation of its step. */
function resultOf(job: OwnedJob, activation: number): NewResult {
  const { step = "", args } = job;
  const { event, output, metadata } = args as Resumption;
  const text = (value: unknown, what: string) =>
    value === undefined ? undefined : encode(value, { what: `${what} "${step}"`, limit: Infinity });
  return {
    step,
    activation,
    waits: false,
    event,
    output: text(output, "delivery to"),
    metadata: text(metadata, "metadata of"),
    attempt: 1,
    errors: undefined,
    duration: undefined,
  };
}

/** Returns a callback that notifies listeners of the outcome of a delivery or an expired limit. */
function reporter(
  { runtime: { telemetry } }: WorkerContext,
  state: InstanceState,
  result: Pick<NewResult, "step" | "activation" | "event">,
): ((kept: boolean) => void) | undefined {
  if (!telemetry.has("step:resume") || isFinal(state.status)) return undefined;
  const met = isActive(state.control, result) ? "accepted" : "early";
  return (kept) => emitResume(telemetry, state, result, kept ? met : "duplicate");
}
