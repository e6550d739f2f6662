import type { Instance } from "../core/engine/instance.ts";
import { InstanceNotFoundError } from "../core/errors/errors.ts";
import { checkNames } from "../core/value/option_names.ts";
import type { Waiters } from "./wait.ts";

/** An instance that was started. */
export interface Handle<In = unknown> {
  /** The instance's id. */
  readonly id: string;
  /** The business key, for instance `"orderid::abc123"`. */
  readonly key: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version that the instance runs on. */
  readonly version: number;
  /**
   * Waits until the instance is final and returns it, whatever its status. `signal` stops the wait,
   * not the instance: the promise then rejects with the signal's reason.
   */
  result(options?: { readonly signal?: AbortSignal }): Promise<Instance<In>>;
}

/** Creates a handle that waits through `waiters`. */
export function handleOf(
  waiters: Waiters,
  closing: AbortSignal,
  { id, key, workflow, version }: Pick<Instance, "id" | "key" | "workflow" | "version">,
  fresh: boolean,
): Handle {
  return {
    id,
    key,
    workflow,
    version,
    async result(options = {}) {
      checkNames("wait for a result", options, { signal: true });
      const { signal } = options;
      const instance = await waiters.wait(
        id,
        signal ? [closing, signal] : [closing],
        fresh,
      );
      if (instance === undefined) {
        throw new InstanceNotFoundError({ workflow, id, action: "wait for" });
      }
      // Several callers may share the instance, and dates cannot be frozen.
      const { insertedAt, updatedAt, finishedAt } = instance;
      return {
        ...instance,
        insertedAt: new Date(insertedAt),
        updatedAt: new Date(updatedAt),
        finishedAt: finishedAt && new Date(finishedAt),
      };
    },
  };
}
