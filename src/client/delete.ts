import { HephaestusError, NotDeletableError } from "../core/errors/errors.ts";
import { isFinal } from "../core/engine/instance.ts";
import { type Client, gone } from "./client.ts";
import { tellStop } from "./ending.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";
import { checkNames } from "./option_names.ts";
import type { InTransaction } from "./resuming.ts";

/** How an instance is deleted. */
export interface DeleteOptions extends InTransaction {
  /** Delete it although it is active: its running steps are aborted. Default: false. */
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
  if (deleted.kind === "missing") throw gone(of, "delete");
  if (deleted.kind === "active") throw new NotDeletableError({ ...of, status: deleted.status });
  // In the caller's transaction nothing has happened yet, and may never: the heartbeat aborts what
  // runs once it has.
  if (tx !== undefined) return;
  if (isFinal(deleted.status)) return client.waiters.tell(instance.id);
  const why = new HephaestusError("CANCELLED", "The instance was deleted");
  tellStop(client, instance, why, deleted.at);
}
