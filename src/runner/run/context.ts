import type { Store } from "../../backend/store.ts";
import type { Context, Sql } from "../../core/define/context.ts";
import { emitter } from "../../core/define/emit.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { metadataSeenBy } from "../../core/engine/metadata.ts";
import { settled } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import type { Attempt } from "./attempt.ts";
import type { Cancellation } from "./cancellation.ts";
import { broughtBack, load, readNeeds, seen } from "./inputs.ts";

/** Reads outputs of earlier steps for an attempt. */
export interface ReadOutputs {
  readonly steps: Readonly<Record<string, unknown>>;
  readonly seen: Readonly<Record<string, unknown>>;
  readonly rounds: readonly unknown[];
}

const nothing = Object.freeze({});
const none: readonly unknown[] = Object.freeze([]);
const readsNothing: ReadOutputs = { steps: nothing, seen: nothing, rounds: none };

/** Reads what a step needs, sees and takes back, from the store where this process lacks it. */
export function read(
  store: Pick<Store, "ended" | "endedBetween">,
  { workflow, step, cached: { state, outputs } }: Attempt,
): ReadOutputs | Promise<ReadOutputs> {
  const { control } = state;
  const isFirst = !step.takesRounds || !control.rounds.get(step.name)?.since;
  if (isFirst && step.needs.length + step.sees.length === 0) return readsNothing;
  const steps = (from = outputs) => readNeeds(step.needs, (name) => from.latest(control, name));
  const here = isFirst && step.sees.length === 0 &&
    step.needs.every(({ name }) => outputs.latest(control, name));
  if (here) return { steps: steps(), seen: nothing, rounds: none };
  return load(store, workflow.graph, state, outputs, step.needs.map(({ name }) => name)).then(
    async (loaded) => ({
      steps: steps(loaded),
      seen: await seen(store, state, workflow.graph, step),
      rounds: isFirst ? none : await broughtBack(store, workflow.graph, state, step.name),
    }),
  );
}

const inTransaction: Context["tx"] = (work) => ({ transaction: work });

/**
 * The context that the code of a step receives. All properties are own properties, so a step may
 * spread it.
 */
export class StepContext implements Context {
  readonly input: unknown;
  readonly steps: ReadOutputs["steps"];
  readonly seen: ReadOutputs["seen"];
  readonly rounds: ReadOutputs["rounds"];
  readonly emit: object;
  readonly metadata: Context["metadata"];
  readonly activation: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  declare readonly abortSignal: AbortSignal;
  readonly instance: Context["instance"];
  readonly tx: Context["tx"] = inTransaction;
  readonly #cancellation: Cancellation;

  // A signal costs more than the rest of the context together, and few steps use it. All contexts
  // share one getter: with a getter for each, V8 turns every context into a dictionary.
  static readonly #abortSignal: PropertyDescriptor & ThisType<StepContext> = {
    enumerable: true,
    get() {
      return this.#cancellation.signal;
    },
  };

  constructor(attempt: Attempt, { steps, seen, rounds }: ReadOutputs, cancellation: Cancellation) {
    const { job, step, workflow: { graph }, cached: { state } } = attempt;
    const { id, key, workflow, version, input, control, metadata } = state;
    this.input = input;
    this.steps = steps;
    this.seen = seen;
    this.rounds = rounds;
    this.emit = emitter(step);
    this.metadata = metadataSeenBy(graph, control, metadata, step.name);
    this.activation = job.activation;
    this.attempt = job.attempt;
    const { keyOf = job.activation } = control.active.get(step.name) ?? {};
    this.idempotencyKey = idempotencyKey(id, step.name, keyOf);
    this.instance = { id, key, workflow, version };
    this.#cancellation = cancellation;
    Object.defineProperty(this, "abortSignal", StepContext.#abortSignal);
  }
}

/** The key that every attempt of an activation passes to other systems. */
export function idempotencyKey(instance: string, step: string, activation: number): string {
  return `${instance}/${step}/${activation}`;
}

/** The work that a step asked to run in the transaction of its result. */
export function transactionOf(returned: unknown): ((sql: Sql) => unknown) | undefined {
  if (typeof returned !== "object" || returned === null || !("transaction" in returned)) {
    return undefined;
  }
  const { transaction } = returned;
  return typeof transaction === "function"
    ? (sql) => settled(callUserCode(() => transaction(sql)))
    : undefined;
}

/** Whether an asynchronous step returned that a delivery will end it. */
export function isLater(step: StepDefinition, returned: unknown): boolean {
  return step.asynchronous && typeof returned === "object" && returned !== null &&
    "later" in returned && returned.later === true;
}
