import type { Time } from "../value/time.ts";
import type { Input, Type } from "../value/type.ts";
import type { Declared, Reserved, StepEvents } from "./emit.ts";
import { createStep, define, isObject } from "./options.ts";
import type { AsyncStep, FactsOf, Step, StepsOf, WithExpiry } from "./step.ts";
import type { Need } from "./step_definition.ts";
import type { TimeContext, TimeOption } from "./times.ts";

/** The options of a signal. */
export interface SignalOptions<
  E extends StepEvents,
  Limit extends Time,
  N extends readonly Need[] = [],
  In = unknown,
> {
  /** The input that the workflow must have. Only for a function in `expires`. */
  readonly input?: Input<In>;
  /** Results that must exist when the wait starts. They determine the type of `steps`. */
  readonly needs?: N;
  /** The events that can be delivered, each with the type of its output. */
  readonly events: E & Reserved & Declared<E>;
  /** How long to wait before the signal ends with the event `expired`. Default: no limit. */
  readonly expires?: Limit | ((context: TimeContext<In, StepsOf<N>>) => Limit);
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
  const Limit extends Time = never,
  const N extends readonly Need[] = [],
  In = unknown,
>(
  name: Name,
  options: SignalOptions<E, Limit, N, In>,
): AsyncStep<Name, WithExpiry<E, Limit>, FactsOf<N>, In, never, unknown>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function signal(name: string, options: any): any {
  return createStep(define("signal", name, options));
}

/** The options of a timer. */
export interface TimerOptions<N extends readonly Need[], In> {
  /** The input that the workflow must have. Only for a function in `after`. */
  readonly input?: Input<In>;
  /** Results that must exist when the timer starts. They determine the type of `steps`. */
  readonly needs?: N;
  /** When the timer elapses. */
  readonly after: TimeOption<In, StepsOf<N>>;
}

/**
 * Defines a durable delay: it ends with the event `elapsed`, even if processes crash meanwhile.
 *
 * The time is a duration from when the timer starts, a `Date`, or a function of the input and of
 * earlier outputs that returns either. A `Date` in the past is due at once.
 *
 * @throws {WorkflowDefinitionError} When the name or the time is invalid.
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
 *
 * @example Remind when the customer wants it
 * ```ts
 * import { timer, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const remind = timer("remind", {
 *   input: type<{ days: number }>(),
 *   after: ({ input }) => `${input.days}d`,
 * });
 * assertEquals(Object.keys(remind.events), ["elapsed"]);
 * ```
 */
export function timer<
  const Name extends string,
  const N extends readonly Need[] = [],
  In = unknown,
>(
  name: Name,
  after: Time | TimerOptions<N, In>,
): Step<Name, { readonly elapsed: Type<undefined> }, FactsOf<N>, In, never, unknown>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function timer(name: string, after: unknown): any {
  const options = isObject(after) && "after" in after ? after : { after };
  return createStep(define("timer", name, options));
}
