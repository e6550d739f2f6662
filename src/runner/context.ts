import { type Context, emitter, type Sql } from "../core/context.ts";
import type { StepDefinition } from "../core/step.ts";
import type { Workflow } from "../core/workflow.ts";
import type { OwnedJob } from "./host.ts";
import type { Cached } from "./instances.ts";
import { load, readNeeds, seen } from "./outputs.ts";
import type { Parts } from "./parts.ts";

/** Builds what the code of a step is given, loading the outputs that it needs. */
export async function contextOf(
  parts: Pick<Parts, "backend">,
  workflow: Workflow,
  step: StepDefinition,
  { known, outputs }: Cached,
  job: OwnedJob,
  abortSignal: AbortSignal,
): Promise<Context> {
  const { store } = parts.backend;
  await load(store, known.id, outputs, step.needs.map(({ name }) => name));
  const cause = known.control.active.get(step.name);
  return {
    input: known.input,
    steps: readNeeds(step.needs, (name) => outputs.get(name)),
    seen: step.sees.length === 0
      ? {}
      : await seen(store, known.id, workflow.graph, cause, step.name, step.sees),
    emit: emitter(step),
    metadata: known.metadata,
    attempt: job.attempt,
    idempotencyKey: `${known.id}/${step.name}/1`,
    abortSignal,
    instance: { id: known.id, key: known.key, workflow: known.workflow, version: known.version },
    tx: (work) => ({ transaction: work }),
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
