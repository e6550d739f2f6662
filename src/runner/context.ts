import { type Context, emitter, type InstanceRef, type Sql } from "../core/context.ts";
import type { JsonObject } from "../core/json.ts";
import type { StepDefinition } from "../core/step.ts";
import type { Store } from "../store/store.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Attempt } from "./execute.ts";
import { load, readNeeds, seen } from "./outputs.ts";

/** What an attempt reads of the steps before it. */
export interface Reading {
  readonly steps: Readonly<Record<string, unknown>>;
  readonly seen: Readonly<Record<string, unknown>>;
}

const nothing = {};

/** Reads what a step needs and sees, from the store where this process does not know it. */
export function read(
  store: Pick<Store, "ended">,
  { workflow, step, cached: { known, outputs } }: Attempt,
): Reading | Promise<Reading> {
  const steps = () => readNeeds(step.needs, (name) => outputs.get(name));
  const here = step.sees.length === 0 && step.needs.every(({ name }) => outputs.has(name));
  if (here) return { steps: steps(), seen: nothing };
  const cause = known.control.active.get(step.name);
  return load(store, known.id, outputs, step.needs.map(({ name }) => name)).then(async () => ({
    steps: steps(),
    seen: await seen(store, known.id, workflow.graph, cause, step.name, step.sees),
  }));
}

/** What the code of a step is given. What costs is made when it is asked for. */
class StepContext implements Context {
  readonly #attempt: Attempt;
  readonly #cancellation: Cancellation;
  readonly input: unknown;
  readonly steps: Reading["steps"];
  readonly seen: Reading["seen"];
  readonly emit: object;
  readonly metadata: JsonObject;
  readonly attempt: number;

  constructor(attempt: Attempt, { steps, seen }: Reading, cancellation: Cancellation) {
    const { job, step, cached: { known } } = attempt;
    this.#attempt = attempt;
    this.#cancellation = cancellation;
    this.input = known.input;
    this.steps = steps;
    this.seen = seen;
    this.emit = emitter(step);
    this.metadata = known.metadata;
    this.attempt = job.attempt;
  }

  get idempotencyKey(): string {
    const { step, cached: { known } } = this.#attempt;
    return `${known.id}/${step.name}/1`;
  }

  get abortSignal(): AbortSignal {
    return this.#cancellation.signal;
  }

  get instance(): InstanceRef {
    const { id, key, workflow, version } = this.#attempt.cached.known;
    return { id, key, workflow, version };
  }

  readonly tx: Context["tx"] = inTransaction;
}

const inTransaction: Context["tx"] = (work) => ({ transaction: work });

/** Builds what the code of a step is given. */
export function contextOf(attempt: Attempt, reading: Reading, cancellation: Cancellation): Context {
  return new StepContext(attempt, reading, cancellation);
}

/** The work that a step has asked to be run in the transaction of its result. */
export function transactionOf(returned: unknown): ((sql: Sql) => unknown) | undefined {
  if (typeof returned !== "object" || returned === null || !("transaction" in returned)) {
    return undefined;
  }
  const { transaction } = returned;
  return typeof transaction === "function" ? (sql) => transaction(sql) : undefined;
}

/** Whether an asynchronous step has said that a delivery will end it. */
export function isLater(step: StepDefinition, returned: unknown): boolean {
  return step.asynchronous && typeof returned === "object" && returned !== null &&
    "later" in returned && returned.later === true;
}
