import { type Client, runtimeOf } from "./client/client.ts";
import { type CancelOptions, deleteInstance, type DeleteOptions } from "./client/end.ts";
import { Waiters } from "./client/wait.ts";
import { type AnyWorkflow, find, type InstanceTarget } from "./client/find.ts";
import { type Handle, handleOf } from "./client/handle.ts";
import * as listing from "./client/list.ts";
import type { ListOptions, Page } from "./client/list.ts";
import { checkOptions, type HephaestusOptions, type WorkOptions } from "./client/options.ts";
import * as deliveries from "./client/deliver.ts";
import * as ends from "./client/end.ts";
import type { DeliveryStatus, InTransaction, ScheduleOptions } from "./client/deliver.ts";
import * as starting from "./client/start.ts";
import type { StartedHandle, StartItem, StartManyOptions, StartOptions } from "./client/start.ts";
import { type Worker, Workers } from "./client/worker.ts";
import { HephaestusError } from "./core/errors/errors.ts";
import type { Delivery } from "./core/define/emit.ts";
import type { Addressed } from "./core/graph/workflow.ts";
import type { HistoryEntry, Instance } from "./core/engine/instance.ts";
import type { EventName, Listener } from "./core/events.ts";

/**
 * The engine: starts instances, talks to them, lists them, and works on them.
 *
 * It owns a private pool of connections, opened when they are needed. Nothing works until
 * {@linkcode Hephaestus.work} is called, here or in another process on the same database.
 *
 * @example Start an instance and wait for its end
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
 * const greeting = workflow("greeting", { key: "guest", input: type<{ name: string }>(), start: greet })
 *   .on(greet, { greeted: done })
 *   .build();
 *
 * await using hephaestus = new Hephaestus({ backend: memory(), workflows: [greeting] });
 * await using _worker = hephaestus.work();
 * const handle = await hephaestus.start(greeting, "ada", { name: "Ada" });
 * assertEquals((await handle.result()).status, "completed");
 * ```
 */
export class Hephaestus implements AsyncDisposable {
  readonly #client: Client;
  readonly #workers: Workers = new Workers();
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | undefined;

  /**
   * Makes an engine. Nothing is connected yet.
   *
   * @throws {TypeError} When an option cannot be: a hostile schema name, two workflows of one name
   * and version.
   */
  constructor(options: HephaestusOptions) {
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
  }

  /**
   * Starts an instance under a business key.
   *
   * @param key The value of the business key: 1 to 200 printable characters without `::`.
   * @throws {AlreadyRunningError} When the key is active and `onConflict` is `"reject"`.
   * @throws {InvalidValueError} When JSON cannot carry the input, or its schema refuses it.
   * @throws {PayloadTooLargeError} When the input takes more bytes than `payloadLimit`.
   * @throws {UnknownWorkflowError} When there is no such version.
   */
  start<In, D, Given>(
    workflow: AnyWorkflow<In, D, Given>,
    key: string,
    input: NoInfer<Given>,
    options: StartOptions = {},
  ): Promise<Handle<In>> {
    return starting.start(this.#client, workflow, { key, input }, options) as Promise<Handle<In>>;
  }

  /**
   * Starts many instances in one statement. One whose key is active is left alone: its handle says
   * `started: false`.
   *
   * @throws {InvalidValueError} When JSON cannot carry one of the inputs, or its schema refuses it:
   * nothing is started then.
   * @throws {PayloadTooLargeError} When one of the inputs takes more bytes than `payloadLimit`:
   * nothing is started then.
   */
  startMany<In, D, Given>(
    workflow: AnyWorkflow<In, D, Given>,
    items: readonly StartItem<NoInfer<Given>>[],
    options: StartManyOptions = {},
  ): Promise<readonly StartedHandle<In>[]> {
    return starting.startMany(this.#client, workflow, items, options) as Promise<
      readonly StartedHandle<In>[]
    >;
  }

  /**
   * Delivers an outcome to a signal or an asynchronous step: `approval.emit.approved({ by: "maria"
   * })`.
   *
   * `"early"` is kept until its wait begins; of two, the first one stands and the second is a
   * `"duplicate"`.
   *
   * @throws {InstanceNotFoundError} When there is no such instance.
   * @throws {NotWaitingError} When the instance is final, or the wait has expired.
   * @throws {InvalidValueError} When the payload is not what the signal declares.
   * @throws {AmbiguousKeyError} When several instances of the key could be meant.
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
   * Delivers an outcome later. Returns the id of its job, which {@linkcode Hephaestus.cancelJob}
   * takes.
   *
   * @throws {InstanceNotFoundError} When there is no such instance.
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
   * Cancels a scheduled delivery that has not begun.
   *
   * @throws {JobNotFoundError} When no scheduled delivery with this id waits.
   */
  cancelJob(id: string): Promise<void> {
    return ends.cancelJob(this.#client, id);
  }

  /**
   * Cancels an instance and its jobs, and aborts its running steps. Their late results are ignored.
   *
   * @throws {InstanceNotFoundError} When there is no such instance.
   * @throws {NotCancellableError} When it is final already.
   */
  cancel<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: CancelOptions = {},
  ): Promise<void> {
    return ends.cancel(this.#client, workflow, target, options);
  }

  /**
   * Deletes an instance with its results and its jobs. Its key can be started again, and waiting
   * `result()` calls are rejected.
   *
   * `force` deletes an active one too: its running steps are aborted, and their late results change
   * nothing.
   *
   * @throws {InstanceNotFoundError} When there is no such instance.
   * @throws {NotDeletableError} When it is active and `force` is not given.
   * @throws {AmbiguousKeyError} When several instances of the key could be meant.
   */
  deleteInstance<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
    options: DeleteOptions = {},
  ): Promise<void> {
    return deleteInstance(this.#client, workflow, target, options);
  }

  /**
   * The active instance of a key, else its newest one; `undefined` when there is none.
   *
   * @throws {AmbiguousKeyError} When several instances of the key could be meant.
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
   * Lists instances of a workflow, newest first.
   *
   * @throws {RangeError} When `limit` is not a whole number from 1 to 1,000.
   */
  list<In, D>(workflow: AnyWorkflow<In, D>, options?: ListOptions): Promise<Page<Instance<In>>>;
  /** Lists instances of all workflows, newest first. */
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
   * How the steps of an instance ended, in the order in which that moved it.
   *
   * @throws {InstanceNotFoundError} When there is no such instance.
   */
  history<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
  ): Promise<readonly HistoryEntry[]> {
    return listing.history(this.#client, workflow, target);
  }

  /** Waits for an instance that was started elsewhere. */
  async handle<In, D>(
    workflow: AnyWorkflow<In, D>,
    target: InstanceTarget,
  ): Promise<Handle<In> | undefined> {
    const found = await this.get(workflow, target);
    return found && this.#client.handle(found, false) as Handle<In>;
  }

  /**
   * Begins to work on what is due. Returns at once; `ready` tells when it has begun.
   *
   * @throws {HephaestusError} With code `CLOSED` once the engine is closing.
   * @throws {RangeError} When a limit of a queue or a time cannot be.
   */
  work(options: WorkOptions = {}): Worker {
    return this.#workers.work(this.#client, options);
  }

  /**
   * Calls `listener` whenever `event` happens in this process, until the function that it returns
   * is called.
   */
  on<Name extends EventName>(event: Name, listener: Listener<Name>): () => void {
    return this.#client.runtime.telemetry.on(event, listener);
  }

  /**
   * Stops all work, gracefully, and closes the connections. Waiting `result()` calls are rejected.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#workers.close();
    this.#closing.abort(
      new HephaestusError("CLOSED", "Cannot wait any longer: the engine was closed"),
    );
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
