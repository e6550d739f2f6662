import type { NewJob } from "../backend/job.ts";
import type { Delivered } from "../backend/store.ts";
import { emitted } from "../core/define/emit.ts";
import type { StepDefinition } from "../core/define/step_definition.ts";
import { anyActivation, firstActivation } from "../core/engine/activation.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import { InvalidValueError, NotWaitingError } from "../core/errors/errors.ts";
import { resolve } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { type Duration, milliseconds } from "../core/value/duration.ts";
import { encode, type JsonObject } from "../core/value/json.ts";
import { checkNames } from "../core/value/option_names.ts";
import { check } from "../core/value/type.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { aboutInstance } from "../runner/observe.ts";
import type { Runtime } from "../runner/runtime.ts";
import { usualPriority } from "../runner/turn/new_jobs.ts";
import { wakeOf } from "../runner/turn/plan.ts";
import type { Client } from "./client.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";
import { uuidv7 } from "../runner/uuid.ts";

/** A delivery as the caller wrote it. */
export interface AnyDelivery {
  readonly step: string;
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
  readonly activation?: number;
}

/** A delivery that matches its step. Values are JSON text. */
export interface CheckedDelivery {
  readonly step: StepDefinition;
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
  readonly activation: number | undefined;
}

/** The definition that an instance runs on, from the registry or from the caller's versions. */
export function definitionOf(
  runtime: Pick<Runtime, "registry">,
  workflow: AnyWorkflow,
  instance: Instance,
): Workflow {
  return runtime.registry.find(instance.workflow, instance.version) ??
    resolve(workflow, instance.version, {});
}

/** Checks that this workflow has such a wait and accepts this payload. Writes nothing yet. */
export async function checkDelivery(
  runtime: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  delivery: AnyDelivery,
): Promise<CheckedDelivery> {
  const refuse = (why: string) =>
    new TypeError(`Cannot deliver to workflow "${workflow.name}": ${why}`);
  if (typeof delivery !== "object" || delivery === null) {
    throw refuse("the delivery is not an object");
  }
  const { step: name, event, output, metadata, activation } = delivery;
  const step = workflow.steps.get(name);
  if (step === undefined) throw refuse(`it has no signal "${String(name)}"`);
  if (step.kind !== "signal" && !step.asynchronous) {
    throw refuse(`${step.kind} "${name}" does not wait for a delivery`);
  }
  if (step.child !== undefined) throw refuse(`step "${name}" is ended by its child`);
  if (!emitted(step).includes(event)) {
    throw refuse(`${step.kind} "${name}" declares no event "${event}"`);
  }
  if (activation !== undefined && !isActivation(activation)) {
    throw refuse(`activation ${String(activation)} is not a whole number from 1`);
  }
  const isOnly = step.kind === "signal" && !isRepeated(workflow, name);
  if (isOnly && (activation ?? firstActivation) !== firstActivation) {
    throw refuse(`${step.kind} "${name}" is not in a loop: its only activation is 1`);
  }
  const what = `output of event "${event}" of ${step.kind} "${name}"`;
  const checked = await check(step.events.get(event), output);
  if ("problem" in checked) {
    throw new InvalidValueError({
      what,
      problems: [{ path: "", message: checked.problem }],
      action: "deliver",
    });
  }
  const limit = runtime.payloadLimit;
  return {
    step,
    event,
    output: checked.value === undefined ? undefined : encode(checked.value, { what, limit }),
    metadata: metadata === undefined
      ? undefined
      : encode(metadata, { what: `metadata of ${step.kind} "${name}"`, limit }),
    activation,
  };
}

function isRepeated({ graph }: Workflow, step: string): boolean {
  return graph.loopsAround(step).length > 0;
}

function isActivation(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 2 ** 31;
}

/**
 * Converts the store's answer for the caller: throws `NotWaitingError` when nothing waits any more.
 */
export function answer(
  delivered: Exclude<Delivered, { readonly kind: "changed" }>,
  instance: Instance,
  step: StepDefinition,
): "accepted" | "early" | "duplicate" {
  const { name, kind } = step;
  const of = { workflow: instance.workflow, key: instance.key, step: name, kind };
  switch (delivered.kind) {
    case "accepted":
    case "early":
    case "duplicate":
      return delivered.kind;
    case "final":
      throw new NotWaitingError({
        ...of,
        status: delivered.status,
        since: isFinal(instance.status) ? instance.finishedAt : undefined,
      });
    case "over":
      // A scheduled delivery ended it: nothing else ends a signal with one of its own events.
      if (kind === "signal" && emitted(step).includes(delivered.event)) return "duplicate";
      throw new NotWaitingError({ ...of, status: instance.status, event: delivered.event });
    case "undoing":
      throw new NotWaitingError({ ...of, status: "undoing" });
    case "missing":
      throw new NotWaitingError({
        ...of,
        status: isFinal(instance.status) ? instance.status : "cancelled",
      });
  }
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
