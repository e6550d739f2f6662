import type { LockedCommit } from "../backend/store.ts";
import { type Instance, isFinal } from "../core/engine/instance.ts";
import { HephaestusError, JobNotFoundError, NotDeletableError } from "../core/errors/errors.ts";
import { NotCancellableError } from "../core/errors/instance.ts";
import { failure } from "../core/value/failure.ts";
import { checkNames } from "../core/value/option_names.ts";
import type { AnyTransaction } from "../postgres/user_sql/caller_libraries.ts";
import { emitEnd } from "../runner/observe.ts";
import { cancelling } from "../runner/turn/plan.ts";
import { type Client, notFound } from "./client.ts";
import type { InTransaction } from "./deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";

/**
 * Cancels an instance with its jobs, aborts the steps that run for it here, and notifies waiting
 * callers and listeners.
 */
export async function endInstance(
  client: Client,
  instance: Instance,
  sentence: string,
  tx: AnyTransaction | undefined,
): Promise<LockedCommit> {
  const why = new HephaestusError("CANCELLED", sentence);
  const ended = await client.runtime.backend.store.commitLocked(
    instance.id,
    (state) => isFinal(state.status) ? undefined : cancelling(state, failure(why)),
    tx,
  );
  // The caller's transaction is still open and may never commit. If it does, the heartbeat aborts
  // the running steps.
  if (tx === undefined && ended.kind === "written") reportStop(client, instance, why, ended.at);
  return ended;
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
  if (ended.kind === "written") return;
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
