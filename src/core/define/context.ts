import type { JsonObject } from "../value/json.ts";
import type { EmittedOf, StepEvents } from "./emit.ts";

/**
 * Statements of the transaction that records the result of a step.
 *
 * A tagged template binds its values as parameters; `query` takes text and parameters. It cannot
 * commit or roll back.
 */
export interface Sql {
  /** Runs the statement of a tagged template and returns its rows. */
  <Row = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<readonly Row[]>;
  /** Runs a statement with `$1`, `$2` and so on in it and returns its rows. */
  query<Row = Record<string, unknown>>(
    text: string,
    params?: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/** Work that runs in the transaction that records the result. */
export interface Transaction<Result = unknown> {
  /** The work; it may run again when the database asks for it. */
  readonly transaction: (sql: Sql) => Result | Promise<Result>;
}

/** The instance that a step runs for. */
export interface InstanceRef {
  /** The id of this one running. */
  readonly id: string;
  /** The business key, for instance `"orderid::abc123"`. */
  readonly key: string;
  /** The name of the workflow. */
  readonly workflow: string;
  /** The version of the workflow. */
  readonly version: number;
}

/**
 * What the code of a step is given.
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
> {
  /**
   * What the instance was started with. Frozen, like all values that a step is given: copy what you
   * want to change.
   */
  readonly input: In;
  /** What the steps in `needs` have put out, by name. */
  readonly steps: Steps;
  /** What the steps in `sees` have put out, by name; `undefined` where they did not. */
  readonly seen: Seen;
  /** Makes the outcome to return: one method for each event. */
  readonly emit: Emitter;
  /** The metadata of the start, and what the steps in the causal past of this one have added. */
  readonly metadata: JsonObject;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /**
   * The same for every try of this step in this instance: hand it to systems that take such a key.
   */
  readonly idempotencyKey: string;
  /** Aborts when the step runs out of time, is cancelled, or its process shuts down. */
  readonly abortSignal: AbortSignal;
  /** The instance that the step runs for. */
  readonly instance: InstanceRef;
  /**
   * Runs `work` last, in the transaction that records the result; return what it returns.
   * It may run again when the database asks for it.
   */
  tx(work: (sql: Sql) => EmittedOf<E> | Promise<EmittedOf<E>>): Transaction<EmittedOf<E>>;
}
