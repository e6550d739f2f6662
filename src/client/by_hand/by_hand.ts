import type { StepEvents } from "../../core/define/emit.ts";
import type { Client } from "../client.ts";
import type { AnyWorkflow, InstanceTarget } from "../find.ts";
import type { HandleOf } from "../handle.ts";
import type { RetryOptions } from "./acts.ts";
import { fork, type ForkOptions } from "./fork.ts";
import { retry } from "./retry.ts";
import { rewind, type RewindOptions } from "./rewind.ts";

const clients = new WeakMap<ByHand, Client>();

/** Lets an engine do by hand what its client can. */
export function connect(engine: ByHand, client: Client): void {
  clients.set(engine, client);
}

function clientOf(engine: ByHand): Client {
  const client = clients.get(engine);
  if (client === undefined) throw new TypeError("Cannot use the engine: it was not created");
  return client;
}

/** What a person can do to the instances of an engine by hand. */
export abstract class ByHand {
  /**
   * Goes on with an instance that has failed. The steps that have failed, and those that were cut
   * off then, start again under a new activation with the same idempotency key. Waits go on
   * waiting. The history shows who asked for it and why.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {HephaestusError} With code `NOT_RETRYABLE` when it has not failed, an active instance
   * has its key, the rounds of a loop are used up, or the choice that failed fails again.
   */
  retry<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: RetryOptions = {},
  ): Promise<void> {
    return retry(clientOf(this), workflow, target, options);
  }

  /**
   * Goes back to a step of an instance that is open or has failed. The step and what it has caused
   * are taken back and happen again, under new activations; everything else goes on. With
   * `outcome`, the step does not run: it is taken to have ended so. What was done outside is not
   * undone.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {InvalidValueError} When the outcome does not match the step.
   * @throws {HephaestusError} With code `NOT_REWINDABLE` when it has ended otherwise or undoes, the
   * step has not started or was dropped since, or an active instance has its key.
   */
  rewind<In, D, E extends StepEvents>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: RewindOptions<E>,
  ): Promise<void> {
    return rewind(clientOf(this), workflow, target, options as never);
  }

  /**
   * Starts an instance under another key, at a step of this one. It has the input and the results
   * that the step has not caused. The other instance does not change.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {InvalidValueError} When the outcome does not match the step.
   * @throws {HephaestusError} With code `NOT_FORKABLE` when it undoes or has undone what its steps
   * had done, the step has not started or was dropped since, or the key is taken.
   */
  fork<In, D, Given, Outputs, E extends StepEvents>(
    workflow: AnyWorkflow<In, D, Given, Outputs>,
    target: InstanceTarget,
    options: ForkOptions<E>,
  ): Promise<HandleOf<In, Outputs>> {
    return fork(clientOf(this), workflow, target, options as never) as Promise<
      HandleOf<In, Outputs>
    >;
  }
}
