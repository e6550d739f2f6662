import { ByHand, connect } from "./client/by_hand/by_hand.ts";
import { type Client, runtimeOf } from "./client/client.ts";
import * as deliveries from "./client/deliver.ts";
import type { DeliveryStatus, InTransaction, ScheduleOptions } from "./client/deliver.ts";
import { type CancelOptions, deleteInstance, type DeleteOptions } from "./client/end.ts";
import * as ends from "./client/end.ts";
import { type AnyWorkflow, find, type InstanceTarget } from "./client/find.ts";
import { type HandleOf, handleOf, type OutputOf, type ResultOf } from "./client/handle.ts";
import * as listing from "./client/list.ts";
import type { ListOptions, Page } from "./client/list.ts";
import { checkOptions, type HephaestusOptions, type WorkOptions } from "./client/options.ts";
import * as starting from "./client/start.ts";
import type { StartedHandle, StartItem, StartManyOptions, StartOptions } from "./client/start.ts";
import { Waiters } from "./client/wait.ts";
import { type Worker, Workers } from "./client/worker.ts";
import type { Delivery } from "./core/define/emit.ts";
import type { HistoryEntry, Instance } from "./core/engine/instance.ts";
import { HephaestusError } from "./core/errors/errors.ts";
import type { EventName, Listener } from "./core/events.ts";
import type { Addressed } from "./core/graph/workflow.ts";

/**
 * The engine: starts instances, sends deliveries to them, lists them and runs their steps.
 *
 * It owns a private connection pool and opens connections on demand. No step runs until
 * {@linkcode Hephaestus.work} is called, here or in another process on the same database.
 *
 * @example Start an instance and wait for its result
 * ```ts
 * import { done, Hephaestus, step, type, workflow } from "@hephaestus/workflow";
 * import { memory } from "@hephaestus/workflow/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const greet = step("greet", {
 *   input: type<{ name: string }>(),
 *   events: { greeted: type<{ text: string }>() },
 *   run: ({ input, emit }) => emit.greeted({ text: `Hello ${input.name}` }),
 * });
 * const input = type<{ name: string }>();
 * const greeting = workflow("greeting", { key: "guest", input, start: greet })
 *   .on(greet, { greeted: done })
 *   .build();
 *
 * await using hephaestus = new Hephaestus({ backend: memory(), workflows: [greeting] });
 * await using _worker = hephaestus.work();
 * const handle = await hephaestus.start(greeting, "ada", { name: "Ada" });
 * assertEquals((await handle.result()).status, "completed");
 * ```
 */
export class Hephaestus extends ByHand implements AsyncDisposable {
  readonly #client: Client;
  readonly #workers: Workers = new Workers();
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | undefined;

  /**
   * Creates an engine. Does not connect yet.
   *
   * @throws {TypeError} When an option is invalid, for instance an unsafe schema name or two
   * workflows with the same name and version.
   */
  constructor(options: HephaestusOptions) {
    super();
    checkOptions(options);
    const runtime = runtimeOf(options);
    const isOurs = (id: string) => [...this.#workers.all].some(({ process }) => process === id);
    const waiters = new Waiters(runtime.backend.store, runtime.logger, isOurs);
    this.#client = {
      runtime,
      waiters,
      workers: this.#workers.all,
      handle: (of, fresh) => handleOf(waiters, this.#closing.signal, of, fresh),
    };
    connect(this, this.#client);
  }

  /**
   * Starts an instance under a business key.
   *
   * @param key The value of the business key: 1 to 200 printable characters without `::`.
   * @throws {AlreadyRunningError} When the key is active and `onConflict` is `"reject"`.
   * @throws {InvalidValueError} When the input cannot be stored as JSON or its schema rejects it.
   * @throws {PayloadTooLargeError} When the input is larger than `payloadLimit` bytes.
   * @throws {UnknownWorkflowError} When the version does not exist.
   */
  start<In, D, Given, Outputs>(
    workflow: AnyWorkflow<In, D, Given, Outputs>,
    key: string,
    input: NoInfer<Given>,
    options: StartOptions = {},
  ): Promise<HandleOf<In, Outputs>> {
    return starting.start(this.#client, workflow, { key, input }, options) as Promise<
      HandleOf<In, Outputs>
    >;
  }

  /**
   * Starts many instances in one statement. An item whose key is active is skipped: its handle has
   * `started: false`.
   *
   * @throws {InvalidValueError} When an input cannot be stored as JSON or its schema rejects it.
   * Nothing is started then.
   * @throws {PayloadTooLargeError} When an input is larger than `payloadLimit` bytes. Nothing is
   * started then.
   */
  startMany<In, D, Given, Outputs>(
    workflow: AnyWorkflow<In, D, Given, Outputs>,
    items: readonly StartItem<NoInfer<Given>>[],
    options: StartManyOptions = {},
  ): Promise<readonly StartedHandle<In, ResultOf<In, Outputs>, OutputOf<Outputs>>[]> {
    return starting.startMany(this.#client, workflow, items, options) as Promise<
      readonly StartedHandle<In, ResultOf<In, Outputs>, OutputOf<Outputs>>[]
    >;
  }

  /**
   * Delivers an outcome to a signal or an asynchronous step: `approval.emit.approved({ by: "maria"
   * })`.
   *
   * An `"early"` delivery is kept until its wait begins. The first of two deliveries wins; the
   * second one is a `"duplicate"`.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {NotWaitingError} When the instance is final or the wait has expired.
   * @throws {InvalidValueError} When the payload does not match the signal's declaration.
   * @throws {AmbiguousKeyError} When the key matches several instances.
   * @throws {TypeError} When the workflow has no such wait.
   */
  resume<W extends AnyWorkflow, const D extends Delivery>(
    workflow: W,
    target: InstanceTarget,
    delivery: Addressed<W, D>,
    options: InTransaction = {},
  ): Promise<DeliveryStatus> {
    return deliveries.resume(this.#client, workflow, target, delivery as never, options);
  }

  /**
   * Schedules a delivery for later. Returns its job id, for {@linkcode Hephaestus.cancelJob}.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {NotWaitingError} When the instance is final.
   */
  scheduleResume<W extends AnyWorkflow, const D extends Delivery>(
    workflow: W,
    target: InstanceTarget,
    delivery: Addressed<W, D>,
    options: ScheduleOptions,
  ): Promise<string> {
    return deliveries.scheduleResume(this.#client, workflow, target, delivery as never, options);
  }

  /**
   * Cancels a scheduled delivery that has not started.
   *
   * @throws {JobNotFoundError} When no scheduled delivery with this id is pending.
   */
  cancelJob(id: string): Promise<void> {
    return ends.cancelJob(this.#client, id);
  }

  /**
   * Cancels an instance and its jobs, and aborts its running steps. Their results are ignored.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {NotCancellableError} When it is already final.
   */
  cancel<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: CancelOptions = {},
  ): Promise<void> {
    return ends.cancel(this.#client, workflow, target, options);
  }

  /**
   * Deletes an instance with its results and its jobs. Its key can be started again, and pending
   * `result()` calls reject.
   *
   * `force` also deletes an active instance: its running steps are aborted and their results are
   * ignored.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   * @throws {NotDeletableError} When it is active and `force` is not set.
   * @throws {AmbiguousKeyError} When the key matches several instances.
   */
  deleteInstance<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: DeleteOptions = {},
  ): Promise<void> {
    return deleteInstance(this.#client, workflow, target, options);
  }

  /**
   * Returns the active instance of a key, or else the newest one; `undefined` when there is none.
   *
   * @throws {AmbiguousKeyError} When the key matches several instances.
   */
  get<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
  ): Promise<Instance<In> | undefined> {
    return find(this.#client.runtime.backend.store, workflow, target, "get") as Promise<
      Instance<In> | undefined
    >;
  }

  /**
   * Lists the instances of a workflow, newest first.
   *
   * @throws {RangeError} When `limit` is not a whole number from 1 to 1,000.
   */
  list<In, D>(workflow: AnyWorkflow<In, D>, options?: ListOptions): Promise<Page<Instance<In>>>;
  /** Lists the instances of all workflows, newest first. */
  list(options?: ListOptions): Promise<Page<Instance>>;
  list(
    first?: AnyWorkflow<unknown, unknown> | ListOptions,
    second?: ListOptions,
  ): Promise<Page<Instance>> {
    return second !== undefined || isNamed(first)
      ? listing.listOf(this.#client, first as AnyWorkflow, second)
      : listing.list(this.#client, undefined, first as ListOptions | undefined);
  }

  /**
   * Returns how the steps of an instance ended, in the order in which the results were applied.
   *
   * @throws {InstanceNotFoundError} When the instance does not exist.
   */
  history<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
  ): Promise<readonly HistoryEntry[]> {
    return listing.history(this.#client, workflow, target);
  }

  /** Returns a handle to an instance that was started elsewhere. */
  async handle<In, D, Given, Outputs>(
    workflow: AnyWorkflow<In, D, Given, Outputs>,
    target: InstanceTarget,
  ): Promise<HandleOf<In, Outputs> | undefined> {
    const found = await this.get(workflow, target);
    return found && this.#client.handle(found, false) as HandleOf<In, Outputs>;
  }

  /**
   * Starts a worker that runs due jobs. Returns at once; `ready` resolves when it has started.
   *
   * @throws {HephaestusError} With code `CLOSED` once the engine is closing.
   * @throws {RangeError} When a queue limit or a duration is invalid.
   */
  work(options: WorkOptions = {}): Worker {
    return this.#workers.work(this.#client, options);
  }

  /**
   * Calls `listener` whenever `event` happens in this process. Call the returned function to stop.
   */
  on<Name extends EventName>(event: Name, listener: Listener<Name>): () => void {
    return this.#client.runtime.telemetry.on(event, listener);
  }

  /** Stops all workers gracefully and closes the connections. Pending `result()` calls reject. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#workers.close();
    const sentence = "Cannot wait any longer: the engine was closed";
    this.#closing.abort(new HephaestusError("CLOSED", sentence));
    await this.#client.waiters.stop();
    await this.#client.runtime.backend[Symbol.asyncDispose]();
  }

  /** The same as {@linkcode Hephaestus.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function isNamed(value: unknown): boolean {
  return typeof value === "object" && value !== null && "name" in value;
}
