import type { Need } from "../define/step_definition.ts";
import type { Mistake } from "../value/type.ts";
import type { Workflow } from "./workflow.ts";

/** The names that would say how an instance ended. */
type StatusName = "failed" | "cancelled" | "undone";

/**
 * What a workflow returns, with each invalid outcome replaced by an explanation.
 *
 * @internal
 */
type CheckedOutcomes<R, Steps> = [keyof R] extends [never]
  ? Mistake<"no outcome is named: name one, or omit returns(...)">
  : { readonly [K in keyof R]: CheckedOutcome<K & string, R[K], Steps> };

type CheckedOutcome<K extends string, Of, Steps> = K extends StatusName
  ? Mistake<`outcome '${K}' would say how an instance ended: use another name`>
  : Of extends Need<infer Name, infer Event>
    ? Event extends "*" | "!" | `${string}[]`
      ? Mistake<`outcome '${K}' is not one event of '${Name}': use ${Name}.when(...)`>
    : Name extends Steps ? unknown
    : Mistake<
      `outcome '${K}' returns '${Name}.${Event}', but '${Name}' is not a step of this workflow`
    >
  : Mistake<`outcome '${K}' is not an event of a step: use step.when(...)`>;

/** The outputs of what a workflow returns, by the name of the outcome. */
export type OutputsOf<R> = {
  readonly [K in keyof R]: R[K] extends { readonly "~output": infer Output } ? Output : never;
};

/** Names what a workflow returns, after its last row. */
export interface Returns<Name extends string, In, Steps, Deliveries, Given> {
  /** Each outcome is one event of a step. A run that completes must have exactly one of them. */
  <const R extends { readonly [outcome: string]: unknown }>(
    outcomes: R & CheckedOutcomes<R, Steps>,
  ): Returning<Name, In, Deliveries, Given, OutputsOf<R>>;
}

/** A workflow whose rows and outcomes are complete. */
export interface Returning<Name extends string, In, Deliveries, Given, Outputs> {
  /** Completes the definition. */
  build(): Workflow<Name, In, Deliveries, Given, Outputs>;
}

/**
 * What a workflow returns: the types of the outputs, by the name of the outcome. `unknown` for a
 * workflow that returns nothing.
 *
 * @internal
 */
export type ReturnsOf<W> = W extends { readonly "~returns"?: infer R } ? Exclude<R, undefined>
  : never;

/**
 * The names of the outcomes that a workflow returns; `never` if it returns nothing.
 *
 * @internal
 */
export type OutcomeName<Outputs> = Outputs extends unknown ? keyof Outputs & string : never;
