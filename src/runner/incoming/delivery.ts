import type { Delivered } from "../../backend/store.ts";
import { emitted } from "../../core/define/emit.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { type Instance, isFinal } from "../../core/engine/instance.ts";
import { InvalidValueError, NotWaitingError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { encode, type JsonObject } from "../../core/value/json.ts";
import { check } from "../../core/value/type.ts";
import type { Runtime } from "../runtime.ts";

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

/** Whether a loop runs a step again. */
export function isRepeated({ graph }: Workflow, step: string): boolean {
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
  instance: Pick<Instance, "workflow" | "key" | "status" | "finishedAt">,
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
