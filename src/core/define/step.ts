import type { StepFailure } from "../value/failure.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Time } from "../value/time.ts";
import type { Input, Type, TypeOf } from "../value/type.ts";
import type { Context, Transaction } from "./context.ts";
import type {
  Declared,
  Deliver,
  Emit,
  EmitLater,
  EmittedOf,
  Outcome,
  OutcomeOf,
  Postponed,
  Reserved,
  StepEvents,
} from "./emit.ts";
import { createStep, define } from "./options.ts";
import type { Need, StepDefinition } from "./step_definition.ts";
import { type UndoCode, withUndo } from "./undo.ts";
import type { TimeContext, TimeOption } from "./times.ts";

/**
 * A unit of work that ends by emitting one of its events.
 *
 * Created by {@linkcode step}, {@linkcode choice}, {@linkcode signal} and {@linkcode timer}.
 *
 * @example Read the output of an earlier step
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
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  E extends StepEvents = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  Needs extends string = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  In = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  Sees extends string = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  Fails = any,
  // deno-lint-ignore no-explicit-any -- without type arguments it matches every step
  Round = any,
> {
  /** The name, unique within a workflow. */
  readonly name: Name;
  /** The events that can end the step, each with the type of its output. */
  readonly events: E;
  /** The definition of the step as data. */
  readonly definition: StepDefinition;
  /** Exists only in the types. */
  readonly "~needs": Needs;
  /** Exists only in the types. */
  readonly "~sees": Sees;
  /** Exists only in the types. */
  readonly "~input": In;
  /** Exists only in the types. */
  readonly "~fails": Fails;
  /** Exists only in the types. */
  readonly "~round": Round;
  /**
   * Refers to the output of one event, for the `needs` and `sees` of a later step. `"failed"` is
   * the failure of a step whose row has a road for it.
   */
  when<K extends (keyof E | keyof Fails) & string>(
    event: K,
  ): Need<Name, K, K extends keyof Fails ? Fails[K] : TypeOf<E[K]>>;
  /**
   * Refers to the outcome, one of the step's own events, for the `needs` and `sees` of a later
   * step.
   */
  outcome(): Need<Name, "*", OutcomeOf<E>>;
  /**
   * Refers to the outcome, including `failed`, for the `needs` and `sees` of a later step. Like
   * `Promise.allSettled`.
   */
  settled(): Need<Name, "!", OutcomeOf<E> | FailureOutcome<Fails>>;
  /**
   * Refers to the outputs of one event in all rounds of a loop, oldest first, for the `sees` of a
   * later step. The list is empty if the step has never ended with this event.
   */
  every<K extends (keyof E | keyof Fails) & string>(
    event: K,
  ): Need<Name, `${K}[]`, readonly (K extends keyof Fails ? Fails[K] : TypeOf<E[K]>)[]>;
  /** Returns the same step under another name, so that it can be used twice in one workflow. */
  as<const Other extends string>(name: Other): Step<Other, E, Needs, In, Sees, Fails, Round>;
}

/** The event of a step that fails for good, with its output. */
export interface CanFail {
  /** The output of `failed`. */
  readonly failed: StepFailure;
}

/** The failure of a step as an outcome; `never` for a step that cannot fail. */
export type FailureOutcome<Fails> = {
  readonly [K in keyof Fails & string]: Outcome<K, Fails[K]>;
}[keyof Fails & string];

/** A step that a delivery from outside may end. */
export interface AsyncStep<
  Name extends string,
  E extends StepEvents,
  Needs extends string,
  In,
  Sees extends string,
  Fails,
  Round = never,
> extends Step<Name, E, Needs, In, Sees, Fails, Round> {
  /** Creates the delivery that ends the step. */
  readonly emit: Deliver<Name, E>;
  /** Returns the same step under another name, so that it can be used twice in one workflow. */
  as<const Other extends string>(name: Other): AsyncStep<Other, E, Needs, In, Sees, Fails, Round>;
}

/** The outputs of the steps in `needs`, by name. */
export type StepsOf<N extends readonly Need[]> = {
  readonly [K in N[number] as K["name"]]: K["~output"];
};

/** The outputs of the steps in `sees`, by name: a list for `every`, or else perhaps `undefined`. */
export type SeenOf<V extends readonly Need[]> = {
  readonly [K in V[number] as K["name"]]: K["event"] extends `${string}[]` ? K["~output"]
    : K["~output"] | undefined;
};

/** The facts that a list of needs requires, for instance `"charge.charged"` or `"charge.*"`. */
export type FactsOf<N extends readonly Need[]> = {
  [K in keyof N]: `${N[K]["name"]}.${N[K]["event"]}`;
}[number];

/** The events of a wait, with `expired` added when the wait has a time limit. */
export type WithExpiry<E extends StepEvents, Limit> = [Limit] extends [never] ? E
  : E & { readonly expired: Type<undefined> };

/** The options of a step. */
export interface StepOptions<
  E extends StepEvents,
  N extends readonly Need[],
  In,
  V extends readonly Need[],
  Async extends boolean,
  Limit extends Time,
  Round = never,
> {
  /** The input that the workflow must have. Omit it when the step does not read it. */
  readonly input?: Input<In>;
  /** Results that must exist when the step starts. They determine the type of `steps`. */
  readonly needs?: N;
  /** Results that may exist when the step starts. They determine the type of `seen`. */
  readonly sees?: V;
  /**
   * What a loop brings back to this step: the output of each event that leads back to it. It
   * determines the type of `rounds`.
   */
  readonly rounds?: Type<Round>;
  /** The events that can end the step, each with the type of its output. */
  readonly events: E & Reserved & Declared<E>;
  /** How failed attempts are retried. Default: the policy of the workflow. */
  readonly retry?: RetryPolicy;
  /** The queue of its jobs. Default: the engine's queue for steps. */
  readonly queue?: string;
  /** Priority from 0, the most urgent, to 9. Default: 5. */
  readonly priority?: number;
  /** Time limit of one attempt, computed again for each. Default: none. */
  readonly timeout?: TimeOption<In, StepsOf<N>>;
  /**
   * Time limit of all attempts together, from when the step starts. When it has passed, the running
   * attempt is aborted, no other one starts, and the step fails with the code `DEADLINE`. Not for
   * an asynchronous step. Default: none.
   */
  readonly deadline?: TimeOption<In, StepsOf<N>>;
  /**
   * Allows the code to return `emit.later()`: a delivery from outside then ends the step. Default:
   * false.
   */
  readonly async?: Async;
  /**
   * For an asynchronous step: how long to wait before it ends with the event `expired`, from when
   * it begins to wait. Default: no limit.
   */
  readonly expires?: Limit | ((context: TimeContext<In, StepsOf<N>>) => Limit);
  /**
   * How the step is undone, for each event that has something to undo. It runs if the instance ends
   * by undoing. Such a step is never cut off: it ends first, with all its attempts.
   */
  readonly undo?: UndoCode<In, StepsOf<N>, E>;
  /** How failed attempts to undo it are retried. Default: the policy of the workflow. */
  readonly undoRetry?: RetryPolicy;
  /** The code. Its return value ends the step; an error that it throws fails the attempt. */
  run(
    context: Context<
      In,
      StepsOf<N>,
      SeenOf<V>,
      E,
      Async extends true ? Emit<E> & EmitLater : Emit<E>,
      Round
    >,
  ): Returned<E, Async> | Promise<Returned<E, Async>>;
}

/** The return type of a step's code. */
export type Returned<E extends StepEvents, Async extends boolean> =
  | EmittedOf<E>
  | Transaction<EmittedOf<E>>
  | (Async extends true ? Postponed : never);

/**
 * Defines a step: code that runs as a durable job and ends by emitting one of its events.
 *
 * The code runs at least once, and its result is recorded exactly once. List the earlier results
 * that it reads in `needs`: every path to the step is checked to produce them.
 *
 * @throws {WorkflowDefinitionError} When a name or an option is invalid.
 *
 * @example Charge a card for a validated order
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
  const Limit extends Time = never,
  Round = never,
>(
  name: Name,
  options: StepOptions<E, N, In, V, Async, Limit, Round>,
): Async extends true
  ? AsyncStep<Name, WithExpiry<E, Limit>, FactsOf<N>, In, V[number]["name"], CanFail, Round>
  : Step<Name, E, FactsOf<N>, In, V[number]["name"], CanFail, Round>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function step(name: string, options: any): any {
  return createStep(withUndo(define("step", name, options), options));
}
