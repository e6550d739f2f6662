import { JobNotFoundError, NotCancellableError } from "../core/errors/errors.ts";
import { type Duration, milliseconds } from "../core/value/duration.ts";
import { isFinal } from "../core/engine/instance.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { usualPriority } from "../runner/turn/new_jobs.ts";
import { wakeOf } from "../runner/turn/compute_turn.ts";
import { aboutInstance } from "../runner/observe.ts";
import type { NewJob } from "../backend/job.ts";
import { type Client, gone } from "./client.ts";
import { endInstance } from "./ending.ts";
import { answer, type AnyDelivery, checkDelivery, definitionOf } from "./deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";
import { checkNames } from "./option_names.ts";
import { uuidv7 } from "./uuid.ts";

/** The caller's own open transaction. */
export interface InTransaction {
  /** What is done commits with it, or not at all. */
  readonly tx?: AnyTransaction | undefined;
}

/** When a delivery comes. */
export interface ScheduleOptions extends InTransaction {
  /** How long from now. */
  readonly after: Duration;
}

/** How an instance is cancelled. */
export interface CancelOptions extends InTransaction {
  /** Why, for its error: `"The instance was cancelled: the customer left"`. */
  readonly reason?: string | undefined;
}

/** What the outside was told: it met its wait, came before it, or was not the first. */
export type DeliveryStatus = "accepted" | "early" | "duplicate";

/** Delivers an outcome to a signal or an asynchronous step. */
export async function resume(
  { runtime, workers }: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  delivery: AnyDelivery,
  options: InTransaction,
): Promise<DeliveryStatus> {
  checkNames("resume", options, { tx: true });
  const { tx } = options;
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, "resume", tx);
  const workflow = definitionOf(runtime, target, instance);
  const { step, event, output, metadata } = await checkDelivery(runtime, workflow, delivery);
  const wake = wakeOf(runtime, workflow);
  const delivered = await store.deliver({
    id: uuidv7(),
    instance: instance.id,
    version: instance.version,
    graph: workflow.fingerprint,
    step: step.name,
    activation: 1,
    event,
    output,
    metadata,
    wake,
  }, tx);
  if (delivered.kind === "changed") {
    throw await runtime.graphs.refusal(workflow, delivered.graph, "resume");
  }
  const result = answer(delivered, instance, step);
  // In the caller's transaction nothing has happened yet, and may never.
  if (tx !== undefined) return result;
  for (const worker of workers) worker.wake([wake.queue]);
  if (runtime.telemetry.has("step:resume")) {
    const about = { ...aboutInstance(instance), step: step.name, event };
    runtime.telemetry.emit("step:resume", { ...about, result });
  }
  return result;
}

/** Puts a delivery in for later and returns the id of its job. */
export async function scheduleResume(
  { runtime, workers }: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  delivery: AnyDelivery,
  options: ScheduleOptions,
): Promise<bigint> {
  checkNames("schedule a delivery", options, { after: true, tx: true });
  const { tx, after } = options;
  const delay = milliseconds(after, "after");
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, "resume", tx);
  const workflow = definitionOf(runtime, target, instance);
  const [known] = await store.read([instance.id]);
  if (known?.graph !== undefined && known.graph !== workflow.fingerprint) {
    throw await runtime.graphs.refusal(workflow, known.graph, "resume");
  }
  const { step, event, output, metadata } = await checkDelivery(runtime, workflow, delivery);
  if (isFinal(instance.status)) answer({ kind: "final", status: instance.status }, instance, step);
  const members = [
    `"event":${JSON.stringify(event)}`,
    `"delivery":"${uuidv7()}"`,
    ...(output === undefined ? [] : [`"output":${output}`]),
    ...(metadata === undefined ? [] : [`"metadata":${metadata}`]),
  ];
  const [id] = await runtime.ids.take(1);
  const job: NewJob = {
    id: id!,
    kind: "resume",
    workflow: workflow.name,
    version: workflow.version,
    instance: instance.id,
    step: step.name,
    queue: runtime.queues.resume,
    priority: step.priority ?? usualPriority,
    maxAttempts: undefined,
    delay,
    owned: false,
    args: `{${members.join(",")}}`,
  };
  await store.schedule(job, tx);
  for (const worker of workers) worker.expect(runtime.queues.resume, delay);
  return BigInt(job.id);
}

/** Cancels a delivery that was scheduled. */
export async function cancelJob({ runtime }: Client, id: bigint): Promise<void> {
  const job = String(id);
  const exists = typeof id === "bigint" && id > 0n && id < 2n ** 63n;
  if (!exists || !(await runtime.backend.store.cancelScheduled(job))) {
    throw new JobNotFoundError({ id: job });
  }
  runtime.telemetry.emit("job:cancel", { job });
}

/** Cancels an instance with its jobs, and aborts the steps that run for it here. */
export async function cancel(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: CancelOptions,
): Promise<void> {
  checkNames("cancel", options, { reason: true, tx: true });
  const { tx, reason } = options;
  const { store } = client.runtime.backend;
  const instance = await findOrThrow(store, target, who, "cancel", tx);
  const of = { workflow: instance.workflow, key: instance.key, id: instance.id };
  if (isFinal(instance.status)) throw new NotCancellableError({ ...of, status: instance.status });
  const sentence = `The instance was cancelled${reason ? `: ${reason}` : ""}`;
  const ended = await endInstance(client, instance, sentence, tx);
  if (ended.kind === "ended") return;
  if (ended.kind === "stale" || ended.status === undefined) throw gone(of, "cancel");
  throw new NotCancellableError({ ...of, status: ended.status });
}
