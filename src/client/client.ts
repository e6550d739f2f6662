import { InstanceNotFoundError } from "../core/errors/errors.ts";
import type { Instance } from "../core/engine/instance.ts";
import type { Runtime } from "../runner/runtime.ts";
import type { WorkerProcess } from "../runner/worker.ts";
import type { Waiters } from "./wait.ts";
import type { Handle } from "./handle.ts";

/** What the calls of a client share. */
export interface Client {
  readonly runtime: Runtime;
  readonly waiters: Waiters;
  /** The workers of this process. */
  readonly workers: ReadonlySet<WorkerProcess>;
  /** `fresh` when it was just started here. */
  handle(of: Pick<Instance, "id" | "key" | "workflow" | "version">, fresh: boolean): Handle;
}

/** Refuses a store's answer that an instance is not there. */
export function gone(
  of: { readonly workflow: string; readonly key: string },
  action: string,
): InstanceNotFoundError {
  return new InstanceNotFoundError({ ...of, action });
}
