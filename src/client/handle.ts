import type { EndedInstance, Instance, InstanceStatus } from "../core/engine/instance.ts";
import { InstanceNotFoundError, NotCompletedError } from "../core/errors/errors.ts";
import type { OutcomeName } from "../core/graph/returns_types.ts";
import { checkNames } from "../core/value/option_names.ts";
import type { Waiters } from "./wait.ts";

/** An instance that has completed with one of the outcomes that its workflow returns. */
export interface CompletedInstance<In, Name extends string, Output> extends Instance<In> {
  /** The status. */
  readonly status: "completed";
  /** The name of the outcome. */
  readonly outcome: Name;
  /** The output of the outcome. */
  readonly output: Output;
}

/** An instance that has ended without completing: it has no outcome. */
export interface IncompleteInstance<In> extends Instance<In> {
  /** The status. */
  readonly status: Exclude<InstanceStatus, "completed">;
  /** Has no value. */
  readonly outcome?: undefined;
  /** Has no value. */
  readonly output?: undefined;
}

/** An instance that has ended, with what its workflow returns: a union with the tag `outcome`. */
export type ResultOf<In, Outputs> = [OutcomeName<Outputs>] extends [never] ? Instance<In>
  :
    | IncompleteInstance<In>
    | (Outputs extends unknown ? {
        [K in keyof Outputs & string]: CompletedInstance<In, K, Outputs[K]>;
      }[keyof Outputs & string]
      : never);

/** The outputs of a workflow's outcomes; `unknown` if it returns nothing. */
export type OutputOf<Outputs> = [OutcomeName<Outputs>] extends [never] ? unknown
  : Outputs extends unknown ? Outputs[keyof Outputs]
  : never;

/** The options of a wait. */
export interface WaitOptions {
  /** Stops the wait, not the instance: the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** An instance that was started. */
export interface Handle<In = unknown, Result = Instance<In>, Output = unknown> {
  /** The instance's id. */
  readonly id: string;
  /** The business key, for instance `"orderid::abc123"`. */
  readonly key: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version that the instance runs on. */
  readonly version: number;
  /**
   * Waits until the instance is final and returns it, whatever its status. Of a workflow with
   * `returns(...)`, a completed instance has an `outcome` with its `output`.
   *
   * @throws {InstanceNotFoundError} When the instance was deleted.
   */
  result(options?: WaitOptions): Promise<Result>;
  /**
   * Waits until the instance is final and returns the output of the outcome that its workflow
   * returns; `undefined` if the workflow returns nothing.
   *
   * @throws {NotCompletedError} When the instance has ended without completing.
   * @throws {InstanceNotFoundError} When the instance was deleted.
   */
  output(options?: WaitOptions): Promise<Output>;
}

/** The handle of an instance whose workflow returns these outputs. */
export type HandleOf<In, Outputs> = Handle<In, ResultOf<In, Outputs>, OutputOf<Outputs>>;

/** Creates a handle that waits through `waiters`. */
export function handleOf(
  waiters: Waiters,
  closing: AbortSignal,
  { id, key, workflow, version }: Pick<Instance, "id" | "key" | "workflow" | "version">,
  fresh: boolean,
): Handle {
  const end = async (options: WaitOptions, action: string): Promise<EndedInstance> => {
    checkNames(action, options, { signal: true });
    const { signal } = options;
    const instance = await waiters.wait(
      id,
      signal ? [closing, signal] : [closing],
      fresh,
    );
    if (instance === undefined) {
      throw new InstanceNotFoundError({ workflow, id, action: "wait for" });
    }
    return instance;
  };
  return {
    id,
    key,
    workflow,
    version,
    async result(options = {}) {
      const instance = await end(options, "wait for a result");
      // Several callers may share the instance, and dates cannot be frozen.
      const { insertedAt, updatedAt, finishedAt } = instance;
      return {
        ...instance,
        insertedAt: new Date(insertedAt),
        updatedAt: new Date(updatedAt),
        finishedAt: finishedAt && new Date(finishedAt),
      };
    },
    async output(options = {}) {
      const { status, error, output } = await end(options, "wait for an output");
      if (status === "completed") return output;
      throw new NotCompletedError({ workflow, key, id, status, failure: error });
    },
  };
}
