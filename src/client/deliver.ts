import type { NewJob } from "../backend/job.ts";
import { anyActivation, firstActivation } from "../core/engine/activation.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import { resolve } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { type Duration, milliseconds } from "../core/value/duration.ts";
import { checkNames } from "../core/value/option_names.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import {
  answer,
  type AnyDelivery,
  checkDelivery,
  isRepeated,
} from "../runner/incoming/delivery.ts";
import { aboutInstance } from "../runner/observe.ts";
import type { Runtime } from "../runner/runtime.ts";
import { usualPriority } from "../runner/turn/new_jobs.ts";
import { wakeOf } from "../runner/turn/plan.ts";
import type { Client } from "./client.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";
import { uuidv7 } from "../runner/uuid.ts";

/** The definition that an instance runs on, from the registry or from the caller's versions. */
export function definitionOf(
  runtime: Pick<Runtime, "registry">,
  workflow: AnyWorkflow,
  instance: Instance,
): Workflow {
  return runtime.registry.find(instance.workflow, instance.version) ??
    resolve(workflow, instance.version, {});
}

/** Options of calls that can join the caller's transaction. */
export interface InTransaction {
  /** The caller's open transaction: the call commits with it or not at all. */
  readonly tx?: AnyTransaction | undefined;
}

/** The options of a scheduled delivery. */
export interface ScheduleOptions extends InTransaction {
  /** The delay from now. */
  readonly after: Duration;
}

/**
 * The result of a delivery: the step was waiting, was not waiting yet, or had already received one.
 */
export type DeliveryStatus = "accepted" | "early" | "duplicate";

/** Delivers an outcome to a signal or an asynchronous step. */
export async function resume(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  delivery: AnyDelivery,
  options: InTransaction,
): Promise<DeliveryStatus> {
  const { runtime, workers } = client;
  checkNames("resume", options, { tx: true });
  const { tx } = options;
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, "resume", tx);
  const workflow = definitionOf(runtime, target, instance);
  const { step, event, output, metadata, activation } = await checkDelivery(
    runtime,
    workflow,
    delivery,
  );
  const wake = wakeOf(runtime, workflow);
  const delivered = await store.deliver({
    id: uuidv7(),
    instance: instance.id,
    version: instance.version,
    graph: workflow.fingerprint,
    step: step.name,
    activation,
    loops: workflow.graph.loopsAround(step.name),
    branches: workflow.graph.branchesAround(step.name),
    event,
    output,
    metadata,
    wake,
  }, tx);
  if (delivered.kind === "changed") {
    // It was moved to another version meanwhile.
    const [moved] = await store.read([instance.id]);
    if (moved !== undefined && moved.version !== instance.version) {
      return await resume(client, target, who, delivery, options);
    }
    throw await runtime.graphs.refusal(workflow, delivered.graph, "resume");
  }
  const result = answer(delivered, instance, step);
  // The caller's transaction is still open and may never commit.
  if (tx !== undefined) return result;
  for (const worker of workers) worker.wake([wake.queue]);
  if (runtime.telemetry.has("step:resume")) {
    const about = { ...aboutInstance(instance), step: step.name, event };
    runtime.telemetry.emit("step:resume", { ...about, result });
  }
  return result;
}

/** Schedules a delivery for later and returns the id of its job. */
export async function scheduleResume(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  delivery: AnyDelivery,
  options: ScheduleOptions,
): Promise<string> {
  const { runtime, workers } = client;
  checkNames("schedule a delivery", options, { after: true, tx: true });
  const { tx, after } = options;
  const delay = milliseconds(after, "after");
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, "resume", tx);
  const workflow = definitionOf(runtime, target, instance);
  const [state] = await store.read([instance.id]);
  if (state?.graph !== undefined && state.graph !== workflow.fingerprint) {
    throw await runtime.graphs.refusal(workflow, state.graph, "resume");
  }
  const { step, event, output, metadata, activation } = await checkDelivery(
    runtime,
    workflow,
    delivery,
  );
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
    // In a loop it is for the round that it meets, and the end of a wait before leaves it alone.
    activation: activation ??
      (isRepeated(workflow, step.name) ? anyActivation : firstActivation),
    queue: runtime.queues.resume,
    priority: step.priority ?? usualPriority,
    maxAttempts: undefined,
    delay,
    owned: false,
    args: `{${members.join(",")}}`,
  };
  if (!await store.schedule(job, tx)) {
    return await scheduleResume(client, target, who, delivery, options);
  }
  for (const worker of workers) worker.expect(runtime.queues.resume, delay);
  return job.id;
}
