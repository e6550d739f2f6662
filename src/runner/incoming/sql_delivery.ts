import { mostDeaths } from "../../backend/job.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { NotWaitingError, RetryLaterError } from "../../core/errors/errors.ts";
import { failure, inForm } from "../../core/value/failure.ts";
import type { JsonObject } from "../../core/value/json.ts";
import { leaseOf, type OwnedJob, passOf } from "../host.ts";
import { aboutInstance, emitDiscard } from "../observe.ts";
import type { WorkerContext } from "../run/worker_context.ts";
import { wakeOf } from "../turn/plan.ts";
import { answer, checkDelivery, type CheckedDelivery } from "./delivery.ts";

/** The arguments of a delivery job from SQL. */
interface SqlDelivery {
  readonly delivery: string;
  readonly step: string;
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
  /** The activation that the caller has named. */
  readonly activation?: number;
  /** The activation that was active when the function was called. */
  readonly met?: number;
}

/**
 * Makes a delivery that comes from SQL. One that cannot be taken is discarded with the reason, and
 * its instance goes on waiting. Never rejects.
 */
export async function deliverFromSql(workers: WorkerContext, job: OwnedJob): Promise<void> {
  const { runtime, host, failures } = workers;
  try {
    const why = await deliver(workers, job);
    if (why === undefined) await runtime.backend.store.pass([passOf(job)]);
    else await discard(workers, job, why);
  } catch (error) {
    await failures.settle(job, error, { ran: false });
  }
  host.done(job);
}

/** Returns the reason why the delivery cannot be taken, if there is one. */
async function deliver(workers: WorkerContext, job: OwnedJob): Promise<unknown> {
  const { runtime, instances } = workers;
  const { store } = runtime.backend;
  const state = (await instances.refresh([job.instance])).get(job.instance);
  if (state === undefined) return undefined;
  const workflow = runtime.registry.get(state.workflow, state.version);
  const given = job.args as SqlDelivery;
  if (job.deaths >= mostDeaths) {
    return new Error(
      `Cannot deliver to workflow "${state.workflow}": the process died each of the ${job.deaths} times that it tried to`,
    );
  }
  let checked: CheckedDelivery;
  try {
    checked = await checkDelivery(runtime, workflow, given);
  } catch (error) {
    return error;
  }
  const { step, event, output, metadata, activation } = checked;
  const loops = workflow.graph.loopsAround(step.name);
  const delivered = await store.deliver({
    id: given.delivery,
    instance: state.id,
    version: state.version,
    graph: workflow.fingerprint,
    step: step.name,
    activation: activation ?? (loops.length > 0 ? given.met : undefined),
    loops,
    branches: workflow.graph.branchesAround(step.name),
    event,
    output,
    metadata,
    wake: wakeOf(runtime, workflow),
  });
  if (delivered.kind === "changed") {
    throw new RetryLaterError({ after: "1s", reason: "the instance was moved to another version" });
  }
  try {
    const result = answer(delivered, { ...state, finishedAt: undefined }, step);
    if (runtime.telemetry.has("step:resume") && !isFinal(state.status)) {
      const about = { ...aboutInstance(state), step: step.name, event };
      runtime.telemetry.emit("step:resume", { ...about, result });
    }
    return undefined;
  } catch (error) {
    if (error instanceof NotWaitingError) return error;
    throw error;
  }
}

async function discard({ runtime }: WorkerContext, job: OwnedJob, why: unknown): Promise<void> {
  const error = failure(why);
  const held = await runtime.backend.fromSql?.discard(leaseOf(job), inForm(error, "plain"));
  if (held !== true) return;
  const { workflow, version, instance, id } = job;
  const { step, event } = job.args as SqlDelivery;
  runtime.logger.warn("A delivery from SQL cannot be taken. Its instance goes on without it", {
    workflow,
    version,
    instance,
    step,
    event,
    job: id,
    error,
  });
  emitDiscard(runtime.telemetry, job, error);
}
