import type { Input } from "../value/type.ts";
import type { Context } from "./context.ts";
import type { Declared, Emit, EmittedOf, Reserved, StepEvents } from "./emit.ts";
import { createStep, define } from "./options.ts";
import type { FactsOf, Step, StepsOf } from "./step.ts";
import type { Need } from "./step_definition.ts";

/** The options of a choice. */
export interface ChoiceOptions<E extends StepEvents, N extends readonly Need[], In> {
  /** The input that the workflow must have. Omit it when the choice does not read it. */
  readonly input?: Input<In>;
  /** Results that must exist when the choice is made. They determine the type of `steps`. */
  readonly needs?: N;
  /** The possible outcomes, each with the type of its output. */
  readonly events: E & Reserved & Declared<E>;
  /** Makes the decision. Must be pure and synchronous: the same context gives the same outcome. */
  decide(
    context: Pick<
      Context<In, StepsOf<N>, unknown, E, Emit<E>>,
      "input" | "steps" | "emit"
    >,
  ): EmittedOf<E>;
}

/**
 * Defines a decision: a pure, synchronous function that runs while the instance advances. Its
 * result is recorded.
 *
 * @throws {WorkflowDefinitionError} When a name or an option is invalid.
 *
 * @example Ask a person about large orders
 * ```ts
 * import { choice, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const review = choice("review", {
 *   input: type<{ total: number }>(),
 *   events: { pass: type(), ask: type() },
 *   decide: ({ input, emit }) => input.total > 1000 ? emit.ask() : emit.pass(),
 * });
 * assertEquals(Object.keys(review.events), ["pass", "ask"]);
 * ```
 */
export function choice<
  const Name extends string,
  E extends StepEvents,
  const N extends readonly Need[] = [],
  In = unknown,
>(name: Name, options: ChoiceOptions<E, N, In>): Step<Name, E, FactsOf<N>, In, never, unknown>;
// deno-lint-ignore no-explicit-any -- the overloads define the parameter and return types
export function choice(name: string, options: any): any {
  return createStep(define("choice", name, options));
}
