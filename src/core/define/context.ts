import type { JsonObject } from "../value/json.ts";
import type { StepDefinition } from "./step.ts";
import type { Carried, GivenOf, Mistake, Type, TypeOf } from "../value/type.ts";

/** The events that a step may end with, each with the type of its output. */
export interface StepEvents {
  /** The type of the output of an event. */
  readonly [event: string]: Type<unknown>;
}

/**
 * What is wrong with events, each mistake in the place of its event.
 *
 * @internal
 */
export type Declared<E extends StepEvents> = {
  readonly [K in keyof E]: [Carried<TypeOf<E[K]>>] extends [never]
    ? Mistake<`JSON cannot carry the output of event '${K & string}': its schema must put out JSON`>
    : unknown;
};

/**
 * How a step ended: an event, its output, and what it adds to the instance's metadata.
 *
 * @example Read how a step ended
 * ```ts
 * import type { Outcome } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * type Charge = Outcome<"charged", { receipt: string }> | Outcome<"declined", undefined>;
 * const receipt = (charge: Charge) => charge.event === "charged" ? charge.output.receipt : "none";
 *
 * assertEquals(receipt({ event: "charged", output: { receipt: "r-1" } }), "r-1");
 * ```
 */
export interface Outcome<Event extends string = string, Output = unknown> {
  /** The event that the step ended with. */
  readonly event: Event;
  /** The output that came with it. */
  readonly output: Output;
  /** What is added to the metadata of the instance. */
  readonly metadata?: JsonObject;
}

/** The union of the outcomes of some events. */
export type OutcomeOf<E extends StepEvents> = {
  readonly [K in keyof E & string]: Outcome<K, TypeOf<E[K]>>;
}[keyof E & string];

/**
 * The union of the outcomes as the code of a step emits them: a schema may turn their outputs into
 * others.
 */
export type EmittedOf<E extends StepEvents> = {
  readonly [K in keyof E & string]: Outcome<K, GivenOf<E[K]>>;
}[keyof E & string];

/** What may be said beside an output. */
export interface EmitOptions {
  /** Added to the metadata of the instance. */
  readonly metadata?: JsonObject;
}

/** The arguments of an emitted event: the output may be left out where it may be `undefined`. */
export type EmitArguments<Output> = undefined extends Output
  ? [output?: Output, options?: EmitOptions]
  : [output: Output, options?: EmitOptions];

/** Makes outcomes: one method for each event of the step. */
export type Emit<E extends StepEvents> = {
  readonly [K in keyof E & string]: (
    ...args: EmitArguments<GivenOf<E[K]>>
  ) => Outcome<K, GivenOf<E[K]>>;
};

/** Says that the work goes on elsewhere and that a delivery will end the step. */
export interface Later {
  /** Tells it from an outcome. */
  readonly later: true;
}

/** Adds `emit.later()` to an asynchronous step. */
export interface EmitLater {
  /** Leaves the step open: a delivery from outside ends it. */
  later(): Later;
}

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

/** The `emit` of a step as its code sees it: only what it may emit itself. */
export function emitter(definition: StepDefinition): object {
  let emit = emitters.get(definition);
  if (emit === undefined) emitters.set(definition, emit = makeEmitter(definition));
  return emit;
}

const emitters = new WeakMap<StepDefinition, object>();

function makeEmitter(definition: StepDefinition): object {
  const emit: Record<string, (...args: never) => unknown> = Object.create(null);
  for (const event of emitted(definition)) {
    emit[event] = (output?: unknown, options?: EmitOptions): Outcome =>
      options?.metadata === undefined
        ? { event, output }
        : { event, output, metadata: options.metadata };
  }
  if (definition.asynchronous) emit["later"] = (): Later => ({ later: true });
  return Object.freeze(emit);
}

/**
 * The events that the code of a step, or the outside, may bring about: all but the engine's own.
 */
export function emitted(definition: StepDefinition): readonly string[] {
  const events = [...definition.events.keys()];
  return definition.expires === undefined ? events : events.filter((event) => event !== "expired");
}

/** The metadata of an emitted outcome, left out when there is none. */
export function metadata(options: EmitOptions | undefined): EmitOptions {
  return options?.metadata === undefined ? {} : { metadata: options.metadata };
}
