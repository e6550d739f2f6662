import type { InstanceStatus } from "../engine/instance.ts";
import { DROPPED } from "../engine/progress.ts";
import { HephaestusError, listed } from "./base.ts";

/** The instance that an error is about, by business key or by id. */
export interface InstanceName {
  /** Name of the workflow. */
  readonly workflow?: string | undefined;
  /** The business key. Messages prefer it to the id. */
  readonly key?: string | undefined;
  /** Id of the instance. */
  readonly id?: string | undefined;
}

/**
 * Thrown when a start is rejected because an instance with this business key is active.
 *
 * @example Find the active instance
 * ```ts
 * import { AlreadyRunningError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const of = { workflow: "order", key: "abc123", id: "0199", status: "waiting" } as const;
 * assertEquals(
 *   new AlreadyRunningError(of).message,
 *   'Cannot start order "abc123": instance "0199" is waiting',
 * );
 * ```
 */
export class AlreadyRunningError extends HephaestusError {
  static {
    this.prototype.name = "AlreadyRunningError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "ALREADY_RUNNING";
  /** Name of the workflow. */
  readonly workflow: string;
  /** The business key of the active instance. */
  readonly key: string;
  /** The id of the active instance; `""` when it ended before it could be read. */
  readonly id: string;
  /** The status of the active instance. */
  readonly status: InstanceStatus;

  /** Builds the message from the active instance. */
  constructor(
    of: { workflow: string; key: string; id: string; status: InstanceStatus; why?: string },
    options?: ErrorOptions,
  ) {
    const { workflow, key, id, status, why = `instance "${id}" is ${status}` } = of;
    super("ALREADY_RUNNING", `Cannot start ${named({ workflow, key })}: ${why}`, options);
    this.workflow = workflow;
    this.key = key;
    this.id = id;
    this.status = status;
  }
}

/**
 * Thrown when the instance does not exist. `action` is what was attempted. Default: `find`.
 *
 * @example Read which instance was requested
 * ```ts
 * import { InstanceNotFoundError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new InstanceNotFoundError({ workflow: "order", key: "abc123", action: "resume" }).message,
 *   'Cannot resume order "abc123": no such instance exists',
 * );
 * ```
 */
export class InstanceNotFoundError extends HephaestusError {
  static {
    this.prototype.name = "InstanceNotFoundError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "INSTANCE_NOT_FOUND";
  /** Name of the workflow, if given. */
  readonly workflow: string | undefined;
  /** The business key, if the lookup was by key. */
  readonly key: string | undefined;
  /** The id, if the lookup was by id. */
  readonly id: string | undefined;

  /** Builds the message from the request. */
  constructor(of: InstanceName & { action?: string }, options?: ErrorOptions) {
    const sentence = `Cannot ${of.action ?? "find"} ${named(of)}: no such instance exists`;
    super("INSTANCE_NOT_FOUND", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
  }
}

/**
 * Thrown when a delivery is rejected because its step has stopped waiting. `kind` is the kind of
 * the step. Default: `signal`.
 *
 * @example Read why a delivery came too late
 * ```ts
 * import { NotWaitingError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new NotWaitingError({
 *   workflow: "order",
 *   key: "abc123",
 *   step: "approval",
 *   status: "completed",
 * });
 * assertEquals(
 *   error.message,
 *   'Cannot resume order "abc123": signal "approval" is not waiting, instance is completed',
 * );
 * ```
 */
export class NotWaitingError extends HephaestusError {
  static {
    this.prototype.name = "NotWaitingError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "NOT_WAITING";
  /** Name of the workflow, if known. */
  readonly workflow: string | undefined;
  /** The business key, if known. */
  readonly key: string | undefined;
  /** Id of the instance, if known. */
  readonly id: string | undefined;
  /** Name of the signal or of the asynchronous step. */
  readonly step: string;
  /** The status of the instance. */
  readonly status: InstanceStatus;
  /** The event that ended the wait, if known. */
  readonly event: string | undefined;

  /** Builds the message from the wait that has ended. `since` is when the instance became final. */
  constructor(
    of: InstanceName & {
      step: string;
      status: InstanceStatus;
      kind?: string;
      event?: string | undefined;
      since?: Date | undefined;
    },
    options?: ErrorOptions,
  ) {
    const waiting = `${of.kind ?? "signal"} "${of.step}" is not waiting`;
    const undoes = of.event === DROPPED && (of.status === "undoing" || of.status === "undone");
    const ended = of.event === undefined || undoes
      ? ""
      : of.event === DROPPED
      ? ", its branch was dropped"
      : `, it ended with "${of.event}"`;
    const since = of.since === undefined ? "" : ` (since ${of.since.toISOString()})`;
    const sentence = `Cannot resume ${
      named(of)
    }: ${waiting}${ended}, instance is ${of.status}${since}`;
    super("NOT_WAITING", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.step = of.step;
    this.status = of.status;
    this.event = of.event;
  }
}

/**
 * Thrown when an instance cannot be cancelled because it has already ended, or undoes already.
 *
 * @example Read how it ended
 * ```ts
 * import { NotCancellableError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new NotCancellableError({ workflow: "order", key: "abc123", status: "failed" }).message,
 *   'Cannot cancel order "abc123": instance is failed',
 * );
 * ```
 */
export class NotCancellableError extends HephaestusError {
  static {
    this.prototype.name = "NotCancellableError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "NOT_CANCELLABLE";
  /** Name of the workflow, if known. */
  readonly workflow: string | undefined;
  /** The business key, if known. */
  readonly key: string | undefined;
  /** Id of the instance, if known. */
  readonly id: string | undefined;
  /** The status of the instance: a final one, or `undoing`. */
  readonly status: InstanceStatus;

  /** Builds the message from the instance. */
  constructor(of: InstanceName & { status: InstanceStatus }, options?: ErrorOptions) {
    const sentence = `Cannot cancel ${named(of)}: instance is ${of.status}`;
    super("NOT_CANCELLABLE", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.status = of.status;
  }
}

/**
 * Thrown when an active instance is deleted without `force`.
 *
 * @example Read its status
 * ```ts
 * import { NotDeletableError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new NotDeletableError({ workflow: "order", key: "abc123", status: "waiting" }).message,
 *   'Cannot delete order "abc123": instance is waiting. Cancel it first, or pass force',
 * );
 * ```
 */
export class NotDeletableError extends HephaestusError {
  static {
    this.prototype.name = "NotDeletableError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "NOT_DELETABLE";
  /** Name of the workflow, if known. */
  readonly workflow: string | undefined;
  /** The business key, if known. */
  readonly key: string | undefined;
  /** Id of the instance, if known. */
  readonly id: string | undefined;
  /** The status of the instance. */
  readonly status: InstanceStatus;

  /** Builds the message from the instance. */
  constructor(of: InstanceName & { status: InstanceStatus }, options?: ErrorOptions) {
    const sentence = `Cannot delete ${
      named(of)
    }: instance is ${of.status}. Cancel it first, or pass force`;
    super("NOT_DELETABLE", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.status = of.status;
  }
}

/**
 * Thrown when a business key matches several instances, which is possible where keys need not be
 * unique.
 *
 * @example Refer to one of them by its id instead
 * ```ts
 * import { AmbiguousKeyError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new AmbiguousKeyError({ workflow: "order", key: "abc123", ids: ["0198", "0199"] });
 * assertEquals(error.ids.at(-1), "0199");
 * ```
 */
export class AmbiguousKeyError extends HephaestusError {
  static {
    this.prototype.name = "AmbiguousKeyError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "AMBIGUOUS_KEY";
  /** Name of the workflow. */
  readonly workflow: string;
  /** The business key that several instances share. */
  readonly key: string;
  /** The matching instances, or some of them. */
  readonly ids: readonly string[];

  /** Builds the message from the matching instances. */
  constructor(
    of: { workflow: string; key: string; ids: readonly string[]; action?: string },
    options?: ErrorOptions,
  ) {
    const subject = `Cannot ${of.action ?? "find"} ${
      named({ workflow: of.workflow, key: of.key })
    }`;
    const sentence = `${subject}: several instances have this key: ${listed(of.ids)}`;
    super("AMBIGUOUS_KEY", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.ids = of.ids;
  }
}

/** An instance as part of a sentence. */
export function named({ workflow, key, id }: InstanceName): string {
  const kind = workflow ?? "instance";
  if (key !== undefined) return `${kind} "${key}"`;
  return workflow === undefined ? `instance "${id}"` : `${workflow} instance "${id}"`;
}
