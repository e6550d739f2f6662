import { emitted } from "../core/define/emit.ts";
import { InvalidValueError, NotWaitingError } from "../core/errors/errors.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import { encode, type JsonObject } from "../core/value/json.ts";
import type { StepDefinition } from "../core/define/step_definition.ts";
import { check } from "../core/value/type.ts";
import { resolve } from "../core/graph/version.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import type { Runtime } from "../runner/runtime.ts";
import type { Delivered } from "../backend/store.ts";
import type { AnyWorkflow } from "./find.ts";

/** An outcome from outside, as its maker wrote it. */
export interface AnyDelivery {
  readonly step: string;
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
}

/** A delivery whose addressee takes it. Values are JSON texts. */
export interface CheckedDelivery {
  readonly step: StepDefinition;
  readonly event: string;
  readonly output: string | undefined;
  readonly metadata: string | undefined;
}

/**
 * The definition that an instance runs on: registered, or among the versions that the caller has.
 */
export function definitionOf(
  runtime: Pick<Runtime, "registry">,
  workflow: AnyWorkflow,
  instance: Instance,
): Workflow {
  return runtime.registry.find(instance.workflow, instance.version) ??
    resolve(workflow, instance.version, {});
}

/**
 * Checks that this workflow has such a wait and that it takes this payload. Nothing is written yet.
 */
export async function checkDelivery(
  runtime: Pick<Runtime, "payloadLimit">,
  workflow: Workflow,
  delivery: AnyDelivery,
): Promise<CheckedDelivery> {
  const refuse = (why: string) =>
    new TypeError(`Cannot deliver to workflow "${workflow.name}": ${why}`);
  if (typeof delivery !== "object" || delivery === null) throw refuse("the delivery is no object");
  const { step: name, event, output, metadata } = delivery;
  const step = workflow.steps.get(name);
  if (step === undefined) throw refuse(`it has no signal "${String(name)}"`);
  if (step.kind !== "signal" && !step.asynchronous) {
    throw refuse(`${step.kind} "${name}" waits for no delivery`);
  }
  if (!emitted(step).includes(event)) {
    throw refuse(`${step.kind} "${name}" declares no event "${event}"`);
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
  };
}

/** What a caller is told: throws `NotWaitingError` when nothing waits any more. */
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
      // One that was scheduled: nothing else ends a signal with an event of its own.
      if (kind === "signal" && emitted(step).includes(delivered.event)) return "duplicate";
      throw new NotWaitingError({ ...of, status: instance.status, event: delivered.event });
    case "missing":
      throw new NotWaitingError({
        ...of,
        status: isFinal(instance.status) ? instance.status : "cancelled",
      });
  }
}
