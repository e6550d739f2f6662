import type { Duration } from "../value/duration.ts";
import type { Type } from "../value/type.ts";
import type { Declared, Reserved, StepEvents } from "./emit.ts";
import { createStep, define } from "./options.ts";
import type { AsyncStep, Step, WithExpiry } from "./step.ts";

/** The options of a signal. */
export interface SignalOptions<E extends StepEvents, Limit extends Duration> {
  /** The events that can be delivered, each with the type of its output. */
  readonly events: E & Reserved & Declared<E>;
  /** How long to wait before the signal ends with the event `expired`. Default: no limit. */
  readonly expires?: Limit;
}

/**
 * Defines a wait for something outside the workflow. It ends when a delivery made by its `emit`
 * arrives.
 *
 * With `expires` it has an additional event, `expired`, which ends the wait after that time.
 *
 * @throws {WorkflowDefinitionError} When a name or an option is invalid.
 *
 * @example Wait two days for an approval
 * ```ts
 * import { signal, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const approval = signal("approval", {
 *   events: { approved: type<{ by: string }>(), refused: type() },
 *   expires: "2d",
 * });
 * assertEquals(Object.keys(approval.events), ["approved", "refused", "expired"]);
 * assertEquals(approval.emit.approved({ by: "maria" }).step, "approval");
 * ```
 */
export function signal<
  const Name extends string,
  E extends StepEvents,
  const Limit extends Duration = never,
>(
  name: Name,
  options: SignalOptions<E, Limit>,
): AsyncStep<Name, WithExpiry<E, Limit>, never, unknown, never, unknown>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function signal(name: string, options: any): any {
  return createStep(define("signal", name, options));
}

/**
 * Defines a durable delay: it ends with the event `elapsed`, even if processes crash meanwhile.
 *
 * @throws {WorkflowDefinitionError} When the name or the duration is invalid.
 *
 * @example Cool down for half an hour
 * ```ts
 * import { done, timer, workflow, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const cooldown = timer("cooldown", "30m");
 * const pause = workflow("pause", { key: "id", input: type(), start: cooldown })
 *   .on(cooldown, { elapsed: done })
 *   .build();
 * assertEquals(pause.graph.start, "cooldown");
 * ```
 */
export function timer<const Name extends string>(
  name: Name,
  after: Duration,
): Step<Name, { readonly elapsed: Type<undefined> }, never, unknown, never, unknown>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function timer(name: string, after: unknown): any {
  return createStep(define("timer", name, { after }));
}
