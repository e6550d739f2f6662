import type { Declared, StepEvents } from "./emit.ts";
import { define, made } from "./options.ts";
import type { Duration } from "../value/duration.ts";
import type { AsyncStep, Step, WithExpiry } from "./step.ts";
import type { Type } from "../value/type.ts";

/** What a signal may be told beside its name. */
export interface SignalOptions<E extends StepEvents, Limit extends Duration> {
  /** What may be delivered, each event with the type of its output. */
  readonly events: E & Declared<E>;
  /** How long it waits until it ends with the event `expired`. */
  readonly expires?: Limit;
}

/**
 * Defines a wait for the outside: it ends when a delivery made by its `emit` arrives.
 *
 * With `expires` it has one event more, `expired`, and gives up in the end.
 *
 * @throws {WorkflowDefinitionError} When a name or an option cannot be used.
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
): AsyncStep<Name, WithExpiry<E, Limit>, never, unknown, never>;
// deno-lint-ignore no-explicit-any -- its overloads say what it takes and returns
export function signal(name: string, options: any): any {
  return made(define("signal", name, options));
}

/**
 * Defines a durable wait for time: it ends with the event `elapsed`, whatever dies meanwhile.
 *
 * @throws {WorkflowDefinitionError} When the name or the duration cannot be used.
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
): Step<Name, { readonly elapsed: Type<undefined> }, never, unknown, never>;
// deno-lint-ignore no-explicit-any -- its overloads say what it takes and returns
export function timer(name: string, after: unknown): any {
  return made(define("timer", name, { after }));
}
