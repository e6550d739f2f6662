import type { UndoReason } from "../engine/instance.ts";
import type { StepFailure } from "../value/failure.ts";
import type { JsonObject } from "../value/json.ts";
import { andThen } from "../value/promise.ts";
import type { TypeOf } from "../value/type.ts";
import type { InstanceRef, Sql, Transaction } from "./context.ts";
import type { StepEvents } from "./emit.ts";
import { isObject, refusal, retry } from "./options.ts";
import { failedEvent, type StepDefinition, type UndoDefinition } from "./step_definition.ts";

/** The argument of the code that undoes a step. */
export interface UndoContext<
  In = unknown,
  Steps = Readonly<Record<string, unknown>>,
  Output = unknown,
> {
  /** The input of the instance. */
  readonly input: In;
  /** What the step itself had read, by name. */
  readonly steps: Steps;
  /** The event that the step ended with. */
  readonly event: string;
  /** The output of this event. */
  readonly output: Output;
  /** Why the instance undoes what its steps have done. */
  readonly reason: UndoReason;
  /** The metadata of the instance. */
  readonly metadata: JsonObject;
  /** Number of the activation that is undone, from 1. */
  readonly activation: number;
  /** Number of the attempt to undo it, from 1. */
  readonly attempt: number;
  /** The same for every attempt to undo this activation. It differs from that of the step. */
  readonly idempotencyKey: string;
  /**
   * The idempotency key that the step itself had. After `failed` nobody knows what has happened:
   * ask the other system by this key.
   */
  readonly stepIdempotencyKey: string;
  /** Aborts when the time limit of the step has passed, or the worker shuts down. */
  readonly abortSignal: AbortSignal;
  /** The instance. */
  readonly instance: InstanceRef;
  /**
   * Runs `work` last, in the transaction that records that the step is undone. Return the value of
   * `tx(...)`.
   */
  tx(work: (sql: Sql) => void | Promise<void>): Transaction<void>;
}

/** What the code that undoes a step returns: nothing, or its last part as a transaction. */
export type Undone = void | Transaction<void> | Promise<void | Transaction<void>>;

/** How a step is undone, for each event that has something to undo. */
export type UndoCode<In, Steps, E extends StepEvents> =
  & { readonly [K in keyof E]?: (context: UndoContext<In, Steps, TypeOf<E[K]>>) => Undone }
  & {
    /** The step has failed for good, and what it has done is unknown. */
    readonly failed?: (context: UndoContext<In, Steps, StepFailure>) => Undone;
    /** The wait of an asynchronous step has expired, and what it has done is unknown. */
    readonly expired?: (context: UndoContext<In, Steps, undefined>) => Undone;
  };

/** The event of an undo that has succeeded. */
export const undoneEvent = "undone";

const nothing: readonly never[] = Object.freeze([]);
const undone = Object.freeze({ event: undoneEvent, output: undefined });

/** A step with how it is undone. */
export function withUndo(
  definition: StepDefinition,
  options: Readonly<Record<string, unknown>>,
): StepDefinition {
  const undo = undoDefinition(definition, options);
  return undo === undefined ? definition : Object.freeze({ ...definition, undo });
}

function undoDefinition(
  of: StepDefinition,
  { undo, undoRetry }: Readonly<Record<string, unknown>>,
): UndoDefinition | undefined {
  const refuse = refusal(of.kind, of.name);
  if (undo === undefined) {
    if (undoRetry !== undefined) throw refuse(`option "undoRetry" is only for steps with "undo"`);
    return undefined;
  }
  if (!isObject(undo)) {
    throw refuse(`option "undo" is not an object with a function for each event`);
  }
  const code = new Map(Object.entries(undo).filter(([, value]) => value !== undefined));
  for (const [event, value] of code) {
    if (event !== failedEvent && !of.events.has(event)) {
      throw refuse(`option "undo" names the event "${event}", which it does not declare`);
    }
    if (typeof value !== "function") throw refuse(`option "undo.${event}" is not a function`);
  }
  if (code.size === 0) throw refuse(`option "undo" names no event`);
  return Object.freeze({
    ...of,
    asynchronous: false,
    events: new Map([[undoneEvent, undefined]]),
    sees: nothing,
    takesRounds: false,
    retry: retry(undoRetry, refuse, "undoRetry"),
    expires: undefined,
    deadline: undefined,
    run: (context: unknown) => {
      const { event } = context as UndoContext;
      return andThen(Reflect.apply(code.get(event) as Undoing, undo, [context]), ended);
    },
    undoes: new Set(code.keys()),
  });
}

type Undoing = (context: unknown) => unknown;

/** The code that undoes a step ends with nothing, or with a transaction that does. */
function ended(returned: unknown): unknown {
  if (!isObject(returned) || typeof returned["transaction"] !== "function") return undone;
  const work = returned["transaction"];
  return { transaction: (sql: Sql) => andThen(work(sql), () => undone) };
}
