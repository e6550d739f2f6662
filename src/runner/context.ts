import { type Context, emitter, type Sql } from "../core/context.ts";
import type { StepDefinition } from "../core/step.ts";
import type { Store } from "../store/store.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Attempt } from "./attempt.ts";
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

const inTransaction: Context["tx"] = (work) => ({ transaction: work });

/** Builds what the code of a step is given. All of it is the object's own: a step may spread it. */
export function contextOf(
  { job, step, cached: { known } }: Attempt,
  { steps, seen }: Reading,
  cancellation: Cancellation,
): Context {
  const { id, key, workflow, version } = known;
  return {
    input: known.input,
    steps,
    seen,
    emit: emitter(step),
    metadata: known.metadata,
    attempt: job.attempt,
    idempotencyKey: `${id}/${step.name}/1`,
    // A signal costs more than all the rest, and few steps ask for it.
    get abortSignal() {
      return cancellation.signal;
    },
    instance: { id, key, workflow, version },
    tx: inTransaction,
  };
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
