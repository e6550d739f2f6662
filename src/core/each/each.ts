import type { Context, InstanceRef, Sql, Transaction } from "../define/context.ts";
import type {
  Declared,
  EmittedOf,
  Outcome,
  OutcomeOf,
  Reserved,
  StepEvents,
} from "../define/emit.ts";
import { createStep } from "../define/options.ts";
import type { FactsOf, Returned, Step, StepsOf } from "../define/step.ts";
import type { Need } from "../define/step_definition.ts";
import type { TimeContext, TimeOption } from "../define/times.ts";
import type { StepFailure } from "../value/failure.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { GivenOf, Input, Type } from "../value/type.ts";
import { defineEach } from "./define.ts";

/**
 * What happens after an item has failed for good: no other item begins, all others run, or all
 * others run until more than `threshold` have failed.
 */
export type OnFailure = "stop" | "continue" | {
  /** How many items may fail. */
  readonly threshold: number;
};

/** The failure of a step over a list: that of its first item, by place in the list, that failed. */
export interface EachFailure extends StepFailure {
  /** The place of the item in the list, from 0. */
  readonly index: number;
  /** How many items have failed. */
  readonly failed: number;
}

/** How an item ended. An item has only failed where others run on after a failure. */
export type ItemOutcome<E extends StepEvents, On> =
  | OutcomeOf<E>
  | (On extends "stop" ? never : Outcome<"failed", StepFailure>);

/** Creates the outcome of an item: one method for each event. An item adds no metadata. */
export type EmitItem<E extends StepEvents> = {
  readonly [K in keyof E & string]: (
    ...args: undefined extends GivenOf<E[K]> ? [output?: GivenOf<E[K]>] : [output: GivenOf<E[K]>]
  ) => Outcome<K, GivenOf<E[K]>>;
};

/** The argument of the code that runs for each item. */
export interface ItemContext<In, Steps, Item, E extends StepEvents>
  extends Pick<Context<In, Steps>, "input" | "steps" | "metadata" | "activation" | "attempt"> {
  /** The item. */
  readonly item: Item;
  /** Its place in the list, from 0. */
  readonly index: number;
  /** Creates the outcome to return: one method for each event. */
  readonly emit: EmitItem<E>;
  /** The same for every attempt of this item. Pass it to every other system you call. */
  readonly idempotencyKey: string;
  /** Aborts when the item times out, the instance ends, or the worker shuts down. */
  readonly abortSignal: AbortSignal;
  /** The instance that the item runs for. */
  readonly instance: InstanceRef;
  /** Runs `work` last, in the transaction that records the result of the item. */
  tx(work: (sql: Sql) => EmittedOf<E> | Promise<EmittedOf<E>>): Transaction<EmittedOf<E>>;
}

/** The options of a step over a list. */
export interface EachOptions<
  Item,
  E extends StepEvents,
  N extends readonly Need[],
  In,
  On extends OnFailure,
> {
  /** The input that the workflow must have. Omit it when neither `over` nor `run` reads it. */
  readonly input?: Input<In>;
  /** Results that must exist when the step starts. They determine the type of `steps`. */
  readonly needs?: N;
  /**
   * Lists the items, at most 1,048,576. Must be pure and synchronous: it is called again where an
   * item runs, and must then return the same list.
   */
  over(context: TimeContext<In, StepsOf<N>>): readonly Item[];
  /** How many items run at once, from 1 to 10,000. Default: 10. */
  readonly limit?: number;
  /** What happens after an item has failed for good. Default: `"stop"`. */
  readonly onFailure?: On;
  /** The events that can end an item, each with the type of its output. */
  readonly events: E & Reserved & Declared<E>;
  /** How failed attempts of an item are retried. Default: the policy of the workflow. */
  readonly retry?: RetryPolicy;
  /** The queue of the items' jobs. Default: the engine's queue for steps. */
  readonly queue?: string;
  /** Priority of the items' jobs from 0, the most urgent, to 9. Default: 5. */
  readonly priority?: number;
  /** Time limit of one attempt of an item. Default: none. */
  readonly timeout?: TimeOption<In, StepsOf<N>>;
  /** Time limit of all attempts of an item together, from when it begins. Default: none. */
  readonly deadline?: TimeOption<In, StepsOf<N>>;
  /** The code. Its return value ends the item; an error that it throws fails the attempt. */
  run(
    context: ItemContext<In, StepsOf<N>, Item, E>,
  ): Returned<E, false> | Promise<Returned<E, false>>;
}

/**
 * Defines a step that runs its code once for each item of a list, a few items at once.
 *
 * Each item is a durable job of its own, with attempts and an idempotency key. The row of the step
 * has the event `finished`, whose output are the outcomes in the order of the list, and may have a
 * road for `failed`. An empty list is finished at once.
 *
 * @throws {WorkflowDefinitionError} When a name or an option is invalid.
 *
 * @example Render each page of a document, three at once
 * ```ts
 * import { each, step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const split = step("split", {
 *   events: { split: type<{ pages: string[] }>() },
 *   run: ({ emit }) => emit.split({ pages: ["one", "two"] }),
 * });
 * const render = each("render", {
 *   needs: [split.when("split")],
 *   over: ({ steps }) => steps.split.pages,
 *   limit: 3,
 *   onFailure: "continue",
 *   events: { rendered: type<{ url: string }>() },
 *   run: ({ item, index, emit }) => emit.rendered({ url: `/${index}/${item}` }),
 * });
 * assertEquals(render.when("finished").event, "finished");
 * ```
 */
export function each<
  const Name extends string,
  Item,
  E extends StepEvents,
  const N extends readonly Need[] = [],
  In = unknown,
  const On extends OnFailure = "stop",
>(
  name: Name,
  options: EachOptions<Item, E, N, In, On>,
): Step<
  Name,
  { readonly finished: Type<readonly ItemOutcome<E, On>[]> },
  FactsOf<N>,
  In,
  never,
  { readonly failed: EachFailure }
>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function each(name: string, options: any): any {
  return createStep(defineEach(name, options));
}
