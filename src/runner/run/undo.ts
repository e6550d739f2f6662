import type { Store } from "../../backend/store.ts";
import type { UndoContext } from "../../core/define/undo.ts";
import { activationKey, undoneStep, undoOf } from "../../core/engine/activation.ts";
import { failedEvent } from "../../core/define/step_definition.ts";
import { FAILED, isByHand } from "../../core/engine/progress.ts";
import { keyOfEnded } from "../by_hand/key_of_ended.ts";
import { withOutcomes } from "../each/outcomes.ts";
import type { Attempt } from "./attempt.ts";
import type { Cancellation } from "./cancellation.ts";
import { idempotencyKey } from "./context.ts";
import { readNeeds, stepsBehind } from "./inputs.ts";

/** What the code that undoes an activation reads. */
export interface Undoable {
  readonly steps: Readonly<Record<string, unknown>>;
  readonly event: string;
  readonly output: unknown;
  readonly stepIdempotencyKey: string;
}

/** Reads how an activation ended that is undone, and what it had read itself. */
export async function readUndone(
  store: Pick<Store, "ended" | "history" | "read">,
  { job, step, workflow, cached: { state } }: Attempt,
): Promise<Undoable> {
  const name = undoneStep(job.step ?? "");
  const rows = withOutcomes(workflow.graph, await store.ended(state.id, undefined));
  const one = { step: name, activation: job.activation };
  const key = activationKey(one);
  const ended = rows.find((row) => activationKey(row) === key);
  if (ended === undefined) throw new TypeError(`Cannot undo ${key}: it has no result`);
  const behind = stepsBehind(rows, ended.causes);
  return {
    steps: readNeeds(step.needs, (need) => behind.latest.get(need)),
    event: ended.event === FAILED ? failedEvent : ended.event,
    output: ended.output,
    stepIdempotencyKey: rows.some(isByHand)
      ? await keyOfEnded(store, workflow, state.id, one)
      : idempotencyKey(state.id, name, job.activation),
  };
}

const inTransaction: UndoContext["tx"] = (work) => ({ transaction: work });

/** The context that the code that undoes a step receives. */
export class UndoStepContext implements UndoContext {
  readonly input: unknown;
  readonly steps: Undoable["steps"];
  readonly event: string;
  readonly output: unknown;
  readonly reason: UndoContext["reason"];
  readonly metadata: UndoContext["metadata"];
  readonly activation: number;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly stepIdempotencyKey: string;
  readonly abortSignal: AbortSignal;
  readonly instance: UndoContext["instance"];
  readonly tx: UndoContext["tx"] = inTransaction;

  constructor(
    { job, step, cached: { state } }: Attempt,
    { steps, event, output, stepIdempotencyKey }: Undoable,
    cancellation: Cancellation,
  ) {
    const { id, key, workflow, version } = state;
    this.input = state.input;
    this.steps = steps;
    this.event = event;
    this.output = output;
    this.reason = state.control.undo ?? { status: "undone" };
    this.metadata = state.metadata;
    this.activation = job.activation;
    this.attempt = job.attempt;
    this.idempotencyKey = idempotencyKey(id, undoOf(step.name), job.activation);
    this.stepIdempotencyKey = stepIdempotencyKey;
    this.abortSignal = cancellation.signal;
    this.instance = { id, key, workflow, version };
  }
}
