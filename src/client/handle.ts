import { InstanceNotFoundError } from "../core/errors.ts";
import { type Instance, isFinal } from "../core/instance.ts";
import type { Store } from "../store/store.ts";
import type { Finals } from "./finals.ts";

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
   * Waits until the instance is final and returns it, whatever its status. `signal` ends the waiting, not the instance:
   * the promise then rejects with the signal's reason.
   */
  result(options?: { readonly signal?: AbortSignal }): Promise<Instance<In>>;
}

const firstPause = 50;
const longestPause = 1_000;

/** Polls an instance until it is final; the process that makes it so saves the wait. */
export async function waitForFinal(
  store: Pick<Store, "list">,
  finals: Finals,
  of: Pick<Handle, "id" | "workflow">,
  signals: readonly AbortSignal[],
): Promise<Instance> {
  const signal = AbortSignal.any([...signals]);
  for (let pause = firstPause;; pause = Math.min(2 * pause, longestPause)) {
    signal.throwIfAborted();
    // Whoever tells between the look and the wait would be missed the other way round.
    const told = finals.wait(of.id, pause, signal);
    const [instance] = await store.list({ id: of.id, limit: 1 });
    if (instance === undefined) throw new InstanceNotFoundError({ ...of, action: "wait for" });
    if (isFinal(instance.status)) return instance;
    await told;
  }
}
