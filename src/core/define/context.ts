import type { JsonObject } from "../value/json.ts";
import type { EmittedOf, StepEvents } from "./emit.ts";

/**
 * Runs SQL in the transaction that records the result of a step.
 *
 * A tagged template binds its values as parameters; `query` takes text and parameters. Neither can
 * commit or roll back.
 */
export interface Sql {
  /** Runs the statement of a tagged template and returns its rows. */
  <Row = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<readonly Row[]>;
  /** Runs a statement with the placeholders `$1`, `$2` and so on, and returns its rows. */
  query<Row = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** Work that runs in the transaction that records the result. */
export interface Transaction<Result = unknown> {
  /** The work. It may run again when the database asks for a retry. */
  readonly transaction: (sql: Sql) => Result | Promise<Result>;
}

/** The instance that a step runs for. */
export interface InstanceRef {
  /** Id of the instance. */
  readonly id: string;
  /** The business key, for instance `"orderid::abc123"`. */
  readonly key: string;
  /** The name of the workflow. */
  readonly workflow: string;
  /** The version of the workflow. */
  readonly version: number;
}

/**
 * The argument that the code of a step receives.
 *
 * @example Use the input and an earlier output
 * ```ts
 * import { step, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const validate = step("validate", {
 *   input: type<{ prices: number[] }>(),
 *   events: { valid: type<{ total: number }>() },
 *   run: ({ input, emit }) => emit.valid({ total: input.prices.reduce((a, b) => a + b, 0) }),
 * });
 *
 * const charge = step("charge", {
 *   needs: [validate.when("valid")],
 *   events: { charged: type<{ cents: number }>() },
 *   run: ({ steps, emit }) => emit.charged({ cents: steps.validate.total * 100 }),
 * });
 * assertEquals(charge.definition.needs, [{ name: "validate", event: "valid" }]);
 * ```
 */
export interface Context<
  In = unknown,
  Steps = Readonly<Record<string, unknown>>,
  Seen = Readonly<Record<string, unknown>>,
  E extends StepEvents = StepEvents,
  Emitter = unknown,
  Round = unknown,
> {
  /**
   * The input of the instance. Frozen, like all values that a step receives: copy what you want to
   * change.
   */
  readonly input: In;
  /** The outputs of the steps in `needs`, by name. */
  readonly steps: Steps;
  /** The outputs of the steps in `sees`, by name; `undefined` for a step without that outcome. */
  readonly seen: Seen;
  /**
   * What the loop has brought back to this step so far, the first round first. Empty in the first
   * round, and for a step without the option `rounds`.
   */
  readonly rounds: readonly Round[];
  /** Creates the outcome to return: one method for each event. */
  readonly emit: Emitter;
  /**
   * The metadata of the start, merged with what the steps in this step's causal past have added.
   */
  readonly metadata: JsonObject;
  /**
   * Number of this activation of the step, from 1. All steps of a loop have the same number in one
   * round. Put it into a link, and a click on the link of an earlier round counts as a duplicate.
   */
  readonly activation: number;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  /**
   * The same for every attempt of this step in this instance. Pass it to every other system you
   * call.
   */
  readonly idempotencyKey: string;
  /** Aborts when the step times out, the instance is cancelled, or the worker shuts down. */
  readonly abortSignal: AbortSignal;
  /** The instance that the step runs for. */
  readonly instance: InstanceRef;
  /**
   * Runs `work` last, in the transaction that records the result. Return the value of `tx(...)`
   * from the step. `work` may run again when the database asks for a retry.
   */
  tx(work: (sql: Sql) => EmittedOf<E> | Promise<EmittedOf<E>>): Transaction<EmittedOf<E>>;
}
