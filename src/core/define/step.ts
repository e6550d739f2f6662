import type { Context, Transaction } from "./context.ts";
import type {
  Declared,
  Deliver,
  Emit,
  EmitLater,
  EmittedOf,
  OutcomeOf,
  Postponed,
  StepEvents,
} from "./emit.ts";
import { define, made } from "./options.ts";
import type { Duration } from "../value/duration.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Input, Type, TypeOf } from "../value/type.ts";
import type { Need, StepDefinition } from "./step_definition.ts";

/**
 * A unit of work that ends by emitting one of its events.
 *
 * Made by {@linkcode step}, {@linkcode choice}, {@linkcode signal} and {@linkcode timer}.
 *
 * @example Ask for what an earlier step has put out
 * ```ts
 * import { step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const validate = step("validate", {
 *   events: { valid: type<{ total: number }>(), invalid: type() },
 *   run: ({ emit }) => emit.valid({ total: 3 }),
 * });
 * assertEquals(validate.when("valid").event, "valid");
 * assertEquals(validate.outcome().event, "*");
 * assertEquals(validate.as("validate-again").name, "validate-again");
 * ```
 */
export interface Step<
  Name extends string = string,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  E extends StepEvents = any,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  Needs extends string = any,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  In = any,
  // deno-lint-ignore no-explicit-any -- without arguments it stands for every one of them
  Sees extends string = any,
> {
  /** The name: unique in a workflow. */
  readonly name: Name;
  /** The events that end it, each with the type of its output. */
  readonly events: E;
  /** The step as data. */
  readonly definition: StepDefinition;
  /** Exists in the types only. */
  readonly "~needs": Needs;
  /** Exists in the types only. */
  readonly "~sees": Sees;
  /** Exists in the types only. */
  readonly "~input": In;
  /** The output of one event: for the `needs` and the `sees` of a later step. */
  when<K extends keyof E & string>(event: K): Need<Name, K, TypeOf<E[K]>>;
  /** How the step ended, whichever event it was: for the `needs` and the `sees` of a later step. */
  outcome(): Need<Name, "*", OutcomeOf<E>>;
  /** The same code under another name, to serve twice in one workflow. */
  as<const Other extends string>(name: Other): Step<Other, E, Needs, In, Sees>;
}

/** A step whose work may be finished from outside. */
export interface AsyncStep<
  Name extends string,
  E extends StepEvents,
  Needs extends string,
  In,
  Sees extends string,
> extends Step<Name, E, Needs, In, Sees> {
  /** Makes the delivery that ends the step. */
  readonly emit: Deliver<Name, E>;
  /** The same code under another name, to serve twice in one workflow. */
  as<const Other extends string>(name: Other): AsyncStep<Other, E, Needs, In, Sees>;
}

/** The outputs of the needed steps, by name. */
export type StepsOf<N extends readonly Need[]> = {
  readonly [K in N[number] as K["name"]]: K["~output"];
};

/** The outputs of the seen steps, by name, or `undefined`. */
export type SeenOf<V extends readonly Need[]> = {
  readonly [K in V[number] as K["name"]]: K["~output"] | undefined;
};

/** The facts that a list of needs asks for: `"charge.charged"`, or `"charge.*"`. */
export type FactsOf<N extends readonly Need[]> = {
  [K in keyof N]: `${N[K]["name"]}.${N[K]["event"]}`;
}[number];

/** The events of a wait: `expired` is added where the wait has a limit. */
export type WithExpiry<E extends StepEvents, Limit> = [Limit] extends [never] ? E
  : E & { readonly expired: Type<undefined> };

/** What a step may be told beside its name. */
export interface StepOptions<
  E extends StepEvents,
  N extends readonly Need[],
  In,
  V extends readonly Need[],
  Async extends boolean,
  Limit extends Duration,
> {
  /** The input that the workflow must have. Left out when the step does not read it. */
  readonly input?: Input<In>;
  /** What must be certain when the step starts; it types `steps`. */
  readonly needs?: N;
  /** What may have happened before the step starts; it types `seen`. */
  readonly sees?: V;
  /** How the step may end, each event with the type of its output. */
  readonly events: E & Declared<E>;
  /** How often and how fast a failed attempt is repeated. */
  readonly retry?: RetryPolicy;
  /** The queue that its jobs go to. */
  readonly queue?: string;
  /** From 0, the most urgent, to 9. */
  readonly priority?: number;
  /** How long one attempt may take. */
  readonly timeout?: Duration;
  /** Lets the code return `emit.later()`: a delivery from outside ends the step. */
  readonly async?: Async;
  /** For an asynchronous step: how long it waits until it ends with the event `expired`. */
  readonly expires?: Limit;
  /** The code. What it returns ends the step; what it throws is a failed attempt. */
  run(
    context: Context<
      In,
      StepsOf<N>,
      SeenOf<V>,
      E,
      Async extends true ? Emit<E> & EmitLater : Emit<E>
    >,
  ): Returned<E, Async> | Promise<Returned<E, Async>>;
}

/** What the code of a step may return. */
export type Returned<E extends StepEvents, Async extends boolean> =
  | EmittedOf<E>
  | Transaction<EmittedOf<E>>
  | (Async extends true ? Postponed : never);

/**
 * Defines a step: code that runs as a durable job and ends by emitting one of its events.
 *
 * It runs at least once, and its result is recorded exactly once. What it must know of earlier
 * steps stands in `needs`, and whether every way to the step brings it is checked.
 *
 * @throws {WorkflowDefinitionError} When a name or an option cannot be used.
 *
 * @example Charge a card for what was validated
 * ```ts
 * import { step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const validate = step("validate", {
 *   input: type<{ prices: number[] }>(),
 *   events: { valid: type<{ total: number }>(), invalid: type() },
 *   run({ input, emit }) {
 *     const total = input.prices.reduce((sum, price) => sum + price, 0);
 *     return total > 0 ? emit.valid({ total }) : emit.invalid();
 *   },
 * });
 * const charge = step("charge", {
 *   needs: [validate.when("valid")],
 *   events: { charged: type<{ receipt: string }>() },
 *   retry: { attempts: 5, backoff: "exponential", max: "1m" },
 *   run: ({ steps, emit }) => emit.charged({ receipt: `r-${steps.validate.total}` }),
 * });
 * assertEquals(charge.name, "charge");
 * ```
 */
export function step<
  const Name extends string,
  E extends StepEvents,
  const N extends readonly Need[] = [],
  In = unknown,
  const V extends readonly Need[] = [],
  const Async extends boolean = false,
  const Limit extends Duration = never,
>(
  name: Name,
  options: StepOptions<E, N, In, V, Async, Limit>,
): Async extends true ? AsyncStep<Name, WithExpiry<E, Limit>, FactsOf<N>, In, V[number]["name"]>
  : Step<Name, E, FactsOf<N>, In, V[number]["name"]>;
// deno-lint-ignore no-explicit-any -- its overloads say what it takes and returns
export function step(name: string, options: any): any {
  return made(define("step", name, options));
}
