import { HephaestusError } from "./hephaestus_error.ts";
import type { InstanceStatus } from "./instance.ts";

export { type ErrorCode, HephaestusError } from "./hephaestus_error.ts";
export { FatalError, RetryLaterError, StepTimeoutError } from "./step_errors.ts";
export { InvalidValueError, PayloadTooLargeError, type Problem } from "./value_errors.ts";

/** The instance an error is about, by business key or by id. */
export interface Named {
  readonly workflow?: string | undefined;
  readonly key?: string | undefined;
  readonly id?: string | undefined;
}

/** Says that a definition cannot run: of a workflow, a step or the options. */
export class WorkflowDefinitionError extends HephaestusError {
  static {
    this.prototype.name = "WorkflowDefinitionError";
  }
  declare readonly code: "WORKFLOW_DEFINITION";

  constructor(message: string, options?: ErrorOptions) {
    super("WORKFLOW_DEFINITION", message, options);
  }
}

/**
 * Says that a start was refused because an instance with this business key is active.
 *
 * @example Find the instance that is in the way
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
  declare readonly code: "ALREADY_RUNNING";
  readonly workflow: string;
  readonly key: string;
  /** The id of the active instance. */
  readonly id: string;
  readonly status: InstanceStatus;

  constructor(
    of: { workflow: string; key: string; id: string; status: InstanceStatus },
    options?: ErrorOptions,
  ) {
    const { workflow, key, id, status } = of;
    const subject = named({ workflow, key });
    super("ALREADY_RUNNING", `Cannot start ${subject}: instance "${id}" is ${status}`, options);
    this.workflow = workflow;
    this.key = key;
    this.id = id;
    this.status = status;
  }
}

/** Says that there is no such instance. `action` is what was asked of it, `find` unless told. */
export class InstanceNotFoundError extends HephaestusError {
  static {
    this.prototype.name = "InstanceNotFoundError";
  }
  declare readonly code: "INSTANCE_NOT_FOUND";
  readonly workflow: string | undefined;
  readonly key: string | undefined;
  readonly id: string | undefined;

  constructor(of: Named & { action?: string }, options?: ErrorOptions) {
    const sentence = `Cannot ${of.action ?? "find"} ${named(of)}: no such instance exists`;
    super("INSTANCE_NOT_FOUND", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
  }
}

/** Says that a delivery was refused because nothing waits for it any more. `kind` is `signal` unless told. */
export class NotWaitingError extends HephaestusError {
  static {
    this.prototype.name = "NotWaitingError";
  }
  declare readonly code: "NOT_WAITING";
  readonly workflow: string | undefined;
  readonly key: string | undefined;
  readonly id: string | undefined;
  readonly step: string;
  readonly status: InstanceStatus;

  constructor(
    of: Named & { step: string; status: InstanceStatus; kind?: string },
    options?: ErrorOptions,
  ) {
    const waiting = `${of.kind ?? "signal"} "${of.step}" is not waiting`;
    const sentence = `Cannot resume ${named(of)}: ${waiting}, instance is ${of.status}`;
    super("NOT_WAITING", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.step = of.step;
    this.status = of.status;
  }
}

/** Says that an instance has already ended and so cannot be cancelled. */
export class NotCancellableError extends HephaestusError {
  static {
    this.prototype.name = "NotCancellableError";
  }
  declare readonly code: "NOT_CANCELLABLE";
  readonly workflow: string | undefined;
  readonly key: string | undefined;
  readonly id: string | undefined;
  readonly status: InstanceStatus;

  constructor(of: Named & { status: InstanceStatus }, options?: ErrorOptions) {
    const sentence = `Cannot cancel ${named(of)}: instance is ${of.status}`;
    super("NOT_CANCELLABLE", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.status = of.status;
  }
}

/** Says that nobody has registered this workflow, or this version of it. `known` is what there is instead. */
export class UnknownWorkflowError extends HephaestusError {
  static {
    this.prototype.name = "UnknownWorkflowError";
  }
  declare readonly code: "UNKNOWN_WORKFLOW";
  readonly workflow: string;
  readonly version: number | undefined;
  readonly known: readonly (string | number)[];

  constructor(
    of: { workflow: string; version?: number | undefined; known: readonly (string | number)[] },
    options?: ErrorOptions,
  ) {
    const { workflow, version, known } = of;
    const what = version === undefined ? "workflow" : `version ${version} of workflow`;
    const kind = version === undefined ? "workflows" : "versions";
    const there = known.length === 0 ? `there are no ${kind}` : `${kind} are ${listed(known)}`;
    super("UNKNOWN_WORKFLOW", `Cannot find ${what} "${workflow}": ${there}`, options);
    this.workflow = workflow;
    this.version = version;
    this.known = known;
  }
}

/** Says that the tables in the database do not fit this version of the package, and which command to run. */
export class SchemaVersionError extends HephaestusError {
  static {
    this.prototype.name = "SchemaVersionError";
  }
  declare readonly code: "SCHEMA_VERSION";

  constructor(message: string, options?: ErrorOptions) {
    super("SCHEMA_VERSION", message, options);
  }
}

/** Says that a business key names several instances, as it can where keys need not be unique. */
export class AmbiguousKeyError extends HephaestusError {
  static {
    this.prototype.name = "AmbiguousKeyError";
  }
  declare readonly code: "AMBIGUOUS_KEY";
  readonly workflow: string;
  readonly key: string;
  /** The instances that it could have meant, or some of them. */
  readonly ids: readonly string[];

  constructor(
    of: { workflow: string; key: string; ids: readonly string[]; action?: string },
    options?: ErrorOptions,
  ) {
    const subject = `Cannot ${of.action ?? "find"} ${
      named({ workflow: of.workflow, key: of.key })
    }`;
    const sentence = `${subject}: the key belongs to several instances, ${listed(of.ids)}`;
    super("AMBIGUOUS_KEY", sentence, options);
    this.workflow = of.workflow;
    this.key = of.key;
    this.ids = of.ids;
  }
}

/** Says that no scheduled delivery has this id: it was made, cancelled, or never there. */
export class JobNotFoundError extends HephaestusError {
  static {
    this.prototype.name = "JobNotFoundError";
  }
  declare readonly code: "JOB_NOT_FOUND";
  readonly id: string;

  constructor(of: { id: string }, options?: ErrorOptions) {
    super(
      "JOB_NOT_FOUND",
      `Cannot cancel job "${of.id}": no such scheduled delivery exists`,
      options,
    );
    this.id = of.id;
  }
}

function named({ workflow, key, id }: Named): string {
  const kind = workflow ?? "instance";
  if (key !== undefined) return `${kind} "${key}"`;
  return workflow === undefined ? `instance "${id}"` : `${workflow} instance "${id}"`;
}

function listed(names: readonly (string | number)[]): string {
  const shown = names.slice(0, 10).map((name) => typeof name === "string" ? `"${name}"` : name);
  const more = names.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
