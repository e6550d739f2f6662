import { mostDeaths } from "../../backend/job.ts";
import type { InstanceState, NewInstance } from "../../backend/store.ts";
import { emptyControl, encodeControl } from "../../core/engine/control.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { type Failure, failure, inForm } from "../../core/value/failure.ts";
import type { OwnedJob } from "../host.ts";
import { emitEnd, emitStart, logFailure } from "../observe.ts";
import type { WorkerContext } from "../run/worker_context.ts";
import { jobsOf, placement } from "../turn/new_jobs.ts";
import { instanceOf, prepare, type Prepared } from "./prepare.ts";

/**
 * Begins an instance that SQL has started, and goes on as an advance: deliveries may have come
 * before. Never rejects.
 */
export async function beginFromSql(workers: WorkerContext, job: OwnedJob): Promise<void> {
  const { host, instances, committer, failures } = workers;
  try {
    const state = (await instances.refresh([job.instance])).get(job.instance);
    if (state !== undefined && state.revision === 0 && !isFinal(state.status)) {
      await begin(workers, job, state);
    }
    committer.submit(job);
  } catch (error) {
    await failures.settle(job, error, { ran: false });
    host.done(job);
  }
}

async function begin(workers: WorkerContext, job: OwnedJob, state: InstanceState): Promise<void> {
  const { runtime } = workers;
  const workflow = runtime.registry.get(job.workflow, job.version);
  let prepared: Prepared;
  try {
    if (job.deaths >= mostDeaths) throw deadly(job);
    prepared = await prepare(runtime, workflow, state);
  } catch (error) {
    return await refuse(workers, job, state, inForm(failure(error), "plain"));
  }
  const { starting, failedIn } = prepared;
  const error = prepared.error && inForm(prepared.error, "plain");
  const own = { ...prepared, error, state: { ...prepared.state, id: state.id } };
  const place = await placement(runtime, [starting], () => false);
  const started = jobsOf(runtime, { workflow, instance: state.id }, starting, place);
  if (!await written(workers, job, instanceOf(own, started))) return;
  const now = { ...own.state, insertedAt: state.insertedAt };
  if (error) logFailure(runtime.logger, state, { step: failedIn, attempts: 1, error });
  emitStart(runtime.telemetry, now, workflow, starting, error);
  for (const { queue, delay } of started) workers.host.expect(queue, delay);
}

/** Input that cannot be taken fails the instance: nobody waits for an answer. */
async function refuse(
  workers: WorkerContext,
  job: OwnedJob,
  state: InstanceState,
  error: Failure,
): Promise<void> {
  const { logger, telemetry } = workers.runtime;
  const failed: NewInstance = {
    ...state,
    graph: undefined,
    uniqueKey: undefined,
    status: "failed",
    control: encodeControl(emptyControl),
    metadata: JSON.stringify(state.metadata),
    error: JSON.stringify(error),
    input: JSON.stringify(state.input ?? null),
    recorded: [],
    started: [],
  };
  const at = await written(workers, job, failed);
  if (at === undefined) return;
  const { id: instance, workflow, version, key } = state;
  logger.error(`Workflow "${workflow}" "${key}" failed: SQL has started it, and it cannot begin`, {
    workflow,
    version,
    key,
    instance,
    error,
  });
  emitEnd(telemetry, state, { status: "failed", error, at });
}

async function written(
  { runtime: { backend }, host }: WorkerContext,
  job: OwnedJob,
  instance: NewInstance,
): Promise<Date | undefined> {
  const at = (await backend.fromSql?.begin(job.process, instance))?.get(instance.id);
  if (at !== undefined && isFinal(instance.status)) host.finished(instance.id);
  return at;
}

function deadly({ workflow, deaths }: OwnedJob): Error {
  return new Error(
    `Cannot begin workflow "${workflow}": the process died each of the ${deaths} times that it tried to`,
  );
}
