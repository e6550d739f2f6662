import type { Turn } from "../backend/turn.ts";
import { type Instance, type InstanceStatus, isFinal } from "../core/engine/instance.ts";
import { HephaestusError, JobNotFoundError, NotDeletableError } from "../core/errors/errors.ts";
import { NotCancellableError } from "../core/errors/instance.ts";
import { failure } from "../core/value/failure.ts";
import { checkNames } from "../core/value/option_names.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { emitEnd, emitUndo } from "../runner/observe.ts";
import { cancelling } from "../runner/by_hand/cancelling.ts";
import { type Client, notFound } from "./client.ts";
import type { InTransaction } from "./deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";

/** Whether a cancel was written, and the status afterwards; `undefined` for a missing instance. */
export interface Ended {
  readonly written: boolean;
  readonly status: InstanceStatus | undefined;
}

/**
 * Cancels an instance with its jobs, aborts the steps that run for it here, and notifies waiting
 * callers and listeners. An instance that undoes first is then `undoing`, and one that is already
 * `undoing` is left alone.
 */
export async function endInstance(
  client: Client,
  instance: Instance,
  sentence: string,
  tx: AnyTransaction | undefined,
): Promise<Ended> {
  const { runtime } = client;
  const why = new HephaestusError("CANCELLED", sentence);
  let turn: Turn | undefined;
  const ended = await runtime.backend.store.commitLocked(instance.id, (state) => {
    const isOver = isFinal(state.status) || state.control.undo !== undefined;
    return turn = isOver ? undefined : cancelling(runtime, state, failure(why));
  }, tx);
  if (ended.kind === "kept" || turn === undefined) {
    return { written: false, status: ended.kind === "kept" ? ended.status : undefined };
  }
  // The caller's transaction is still open and may never commit. If it does, the heartbeat aborts
  // the running steps.
  if (tx === undefined) {
    if (isFinal(turn.status)) reportStop(client, instance, why, ended.at);
    else reportUndo(client, instance, why, turn);
  }
  return { written: true, status: turn.status };
}

/** Aborts the steps that run here and were withdrawn, and wakes the worker that undoes. */
function reportUndo(
  { runtime, workers }: Client,
  instance: Instance,
  why: HephaestusError,
  { resolved, wake }: Turn,
): void {
  for (const worker of workers) {
    for (const one of resolved) worker.abort(instance.id, why, one);
    if (wake !== undefined) worker.wake([wake.queue]);
  }
  emitUndo(runtime.telemetry, instance, { status: "cancelled", message: why.message });
}

/**
 * Aborts the steps that run here for an instance that was stopped, and notifies waiting callers and
 * listeners.
 */
export function reportStop(
  { runtime, workers, waiters }: Client,
  instance: Instance,
  why: HephaestusError,
  at: Date,
): void {
  for (const worker of workers) worker.abort(instance.id, why);
  waiters.notify(instance.id);
  emitEnd(runtime.telemetry, instance, { status: "cancelled", error: undefined, at });
}

/** The options of a cancellation. */
export interface CancelOptions extends InTransaction {
  /**
   * The reason, which becomes part of its error: `"The instance was cancelled: the customer left"`.
   */
  readonly reason?: string | undefined;
}

/** Cancels a scheduled delivery. */
export async function cancelJob({ runtime }: Client, id: string): Promise<void> {
  if (!isJobId(id) || !(await runtime.backend.store.cancelScheduled(id))) {
    throw new JobNotFoundError({ id: String(id) });
  }
  runtime.telemetry.emit("job:cancel", { job: id });
}

/** Whether a job can have this id. PostgreSQL rejects anything but a positive bigint. */
function isJobId(id: unknown): boolean {
  return typeof id === "string" && /^[1-9]\d{0,18}$/.test(id) && BigInt(id) < 2n ** 63n;
}

/** Cancels an instance with its jobs, and aborts the steps that run for it here. */
export async function cancel(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: CancelOptions,
): Promise<void> {
  checkNames("cancel", options, { reason: true, tx: true });
  const { tx, reason } = options;
  const { store } = client.runtime.backend;
  const instance = await findOrThrow(store, target, who, "cancel", tx);
  const of = { workflow: instance.workflow, key: instance.key, id: instance.id };
  if (isFinal(instance.status)) throw new NotCancellableError({ ...of, status: instance.status });
  const sentence = `The instance was cancelled${reason ? `: ${reason}` : ""}`;
  const ended = await endInstance(client, instance, sentence, tx);
  if (ended.written) return;
  if (ended.status === undefined) throw notFound(of, "cancel");
  throw new NotCancellableError({ ...of, status: ended.status });
}

/** The options of a deletion. */
export interface DeleteOptions extends InTransaction {
  /** Deletes the instance even if it is active: its running steps are aborted. Default: false. */
  readonly force?: boolean | undefined;
}

/** Deletes an instance with its results and its jobs. */
export async function deleteInstance(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: DeleteOptions,
): Promise<void> {
  checkNames("delete", options, { force: true, tx: true });
  const { force = false, tx } = options;
  const { store } = client.runtime.backend;
  const instance = await findOrThrow(store, target, who, "delete", tx);
  const of = { workflow: instance.workflow, key: instance.key, id: instance.id };
  const deleted = await store.delete(instance.id, { force, tx });
  if (deleted.kind === "missing") throw notFound(of, "delete");
  if (deleted.kind === "active") throw new NotDeletableError({ ...of, status: deleted.status });
  // The caller's transaction is still open and may never commit. If it does, the heartbeat aborts
  // the running steps.
  if (tx !== undefined) return;
  if (isFinal(deleted.status)) return client.waiters.notify(instance.id);
  const why = new HephaestusError("CANCELLED", "The instance was deleted");
  reportStop(client, instance, why, deleted.at);
}
