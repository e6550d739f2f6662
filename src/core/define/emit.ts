import type { JsonObject } from "../value/json.ts";
import type { Carried, GivenOf, Mistake, Type, TypeOf } from "../value/type.ts";

/** The events that a step may end with, each with the type of its output. */
export interface StepEvents {
  /** The type of the output of an event. */
  readonly [event: string]: Type<unknown>;
}

/**
 * The event names that the engine uses itself.
 *
 * @internal
 */
export interface Reserved {
  /** Emitted when a step fails for good. */
  readonly failed?: Mistake<
    "event 'failed' is reserved: the engine emits it when a step fails for good"
  >;
}

/**
 * The mistakes in a set of events, each in the place of its event.
 *
 * @internal
 */
export type Declared<E extends StepEvents> = {
  readonly [K in keyof E]: [Carried<TypeOf<E[K]>>] extends [never] ? Mistake<
      `JSON cannot represent the output of event '${K & string}': its schema must output JSON`
    >
    : unknown;
};

/**
 * How a step ended: an event, its output, and what it adds to the instance's metadata.
 *
 * @example Read the outcome of a step
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
  /** The output of the event. */
  readonly output: Output;
  /** Metadata to add to the instance. */
  readonly metadata?: JsonObject;
}

/** The union of the outcomes of some events. */
export type OutcomeOf<E extends StepEvents> = {
  readonly [K in keyof E & string]: Outcome<K, TypeOf<E[K]>>;
}[keyof E & string];

/**
 * The union of the outcomes that a step's code may emit. A schema may transform their outputs
 * before they are stored.
 */
export type EmittedOf<E extends StepEvents> = {
  readonly [K in keyof E & string]: Outcome<K, GivenOf<E[K]>>;
}[keyof E & string];

/** Options of an emitted event. */
export interface EmitOptions {
  /** Metadata to add to the instance. */
  readonly metadata?: JsonObject;
}

/** The arguments of an emitted event. The output can be omitted where it may be `undefined`. */
export type EmitArguments<Output> = undefined extends Output
  ? [output?: Output, options?: EmitOptions]
  : [output: Output, options?: EmitOptions];

/** Creates outcomes: one method for each event of the step. */
export type Emit<E extends StepEvents> = {
  readonly [K in keyof E & string]: (
    ...args: EmitArguments<GivenOf<E[K]>>
  ) => Outcome<K, GivenOf<E[K]>>;
};

/** Returned by a step whose work continues elsewhere: a delivery will end the step. */
export interface Postponed {
  /** Distinguishes it from an outcome. */
  readonly later: true;
}

/** Adds `emit.later()` to an asynchronous step. */
export interface EmitLater {
  /** Leaves the step open: a delivery from outside ends it. */
  later(): Postponed;
}

/**
 * An outcome delivered from outside to one signal or asynchronous step.
 *
 * @example Approve an order
 * ```ts
 * import { type Delivery, signal, type } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const approval = signal("approval", { events: { approved: type<{ by: string }>() } });
 * const delivery: Delivery = approval.emit.approved({ by: "maria" });
 * assertEquals(delivery, { step: "approval", event: "approved", output: { by: "maria" } });
 * ```
 */
export interface Delivery<
  Name extends string = string,
  Event extends string = string,
  Output = unknown,
> extends Outcome<Event, Output> {
  /** The name of the signal or of the asynchronous step. */
  readonly step: Name;
  /** The activation that it is for. Default: the active one, or else the next one. */
  readonly activation?: number;
}

/** Options of a delivery. */
export interface DeliverOptions extends EmitOptions {
  /**
   * The activation that the delivery is for, as `context.activation` of a step in the same loop has
   * it. A delivery for an earlier round is then a duplicate. Default: the active one, or else the
   * next one.
   */
  readonly activation?: number;
}

/** The arguments of a delivery. The output can be omitted where it may be `undefined`. */
export type DeliverArguments<Output> = undefined extends Output
  ? [output?: Output, options?: DeliverOptions]
  : [output: Output, options?: DeliverOptions];

/** Creates deliveries: one method for each event that can be delivered from outside. */
export type Deliver<Name extends string, E extends StepEvents> = {
  readonly [K in Exclude<keyof E & string, "expired">]: (
    ...args: DeliverArguments<GivenOf<E[K]>>
  ) => Delivery<Name, K, GivenOf<E[K]>>;
};

/** The parts of a step definition that decide which events its code may emit. */
interface Emitting {
  readonly events: ReadonlyMap<string, unknown>;
  readonly asynchronous: boolean;
  readonly expires: unknown;
}

/** The `emit` object passed to a step's code. It has only the events that the code may emit. */
export function emitter(definition: Emitting): object {
  let emit = emitters.get(definition);
  if (emit === undefined) emitters.set(definition, emit = makeEmitter(definition));
  return emit;
}

const emitters = new WeakMap<Emitting, object>();

function makeEmitter(definition: Emitting): object {
  const emit: Record<string, (...args: never) => unknown> = Object.create(null);
  for (const event of emitted(definition)) {
    emit[event] = (output?: unknown, options?: EmitOptions): Outcome =>
      options?.metadata === undefined
        ? { event, output }
        : { event, output, metadata: options.metadata };
  }
  if (definition.asynchronous) emit["later"] = (): Postponed => ({ later: true });
  return Object.freeze(emit);
}

/** The events that a step's code or a delivery may emit: all except those that the engine emits. */
export function emitted(definition: Emitting): readonly string[] {
  const events = [...definition.events.keys()];
  return definition.expires === undefined ? events : events.filter((event) => event !== "expired");
}

/** The metadata of an emitted outcome; omitted when there is none. */
export function metadata(options: EmitOptions | undefined): EmitOptions {
  return options?.metadata === undefined ? {} : { metadata: options.metadata };
}
