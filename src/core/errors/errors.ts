import { HephaestusError, listed } from "./base.ts";

export { GraphChangedError } from "./definition.ts";
export { type ErrorCode, HephaestusError } from "./base.ts";
export {
  AlreadyRunningError,
  AmbiguousKeyError,
  type InstanceName,
  InstanceNotFoundError,
  NotCancellableError,
  NotDeletableError,
  NotWaitingError,
} from "./instance.ts";
export { NotCompletedError } from "./output.ts";
export { FatalError, RetryLaterError, StepTimeoutError } from "./step.ts";
export { InvalidValueError, PayloadTooLargeError, type Problem } from "./value.ts";

/**
 * Thrown when the definition of a workflow or a step, or an option, is invalid.
 *
 * @example See an invalid name
 * ```ts
 * import { step, type, WorkflowDefinitionError } from "@hephaestus/workflow";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () => step("two words", { events: { ok: type() }, run: ({ emit }) => emit.ok() }),
 *   WorkflowDefinitionError,
 *   'Cannot use step name "two words"',
 * );
 * ```
 */
export class WorkflowDefinitionError extends HephaestusError {
  static {
    this.prototype.name = "WorkflowDefinitionError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "WORKFLOW_DEFINITION";

  /** Uses the message as it is. */
  constructor(message: string, options?: ErrorOptions) {
    super("WORKFLOW_DEFINITION", message, options);
  }
}

/**
 * Thrown when the workflow, or this version of it, is not registered. `known` lists the registered
 * ones.
 *
 * @example List the known versions
 * ```ts
 * import { UnknownWorkflowError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new UnknownWorkflowError({ workflow: "order", version: 3, known: [1, 2] }).message,
 *   'Cannot find version 3 of workflow "order": registered versions are 1, 2',
 * );
 * ```
 */
export class UnknownWorkflowError extends HephaestusError {
  static {
    this.prototype.name = "UnknownWorkflowError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "UNKNOWN_WORKFLOW";
  /** The requested name. */
  readonly workflow: string;
  /** The requested version; `undefined` when no workflow has the name. */
  readonly version: number | undefined;
  /** The registered names, or the registered versions of this workflow. */
  readonly known: readonly (string | number)[];

  /** Builds the message from the request and the registered names or versions. */
  constructor(
    of: { workflow: string; version?: number | undefined; known: readonly (string | number)[] },
    options?: ErrorOptions,
  ) {
    const { workflow, version, known } = of;
    const what = version === undefined ? "workflow" : `version ${version} of workflow`;
    const kind = version === undefined ? "workflows" : "versions";
    const registered = known.length === 0
      ? `no ${kind} are registered`
      : `registered ${kind} are ${listed(known)}`;
    super("UNKNOWN_WORKFLOW", `Cannot find ${what} "${workflow}": ${registered}`, options);
    this.workflow = workflow;
    this.version = version;
    this.known = known;
  }
}

/**
 * Thrown when the database schema does not match this version of the package. The message names the
 * command to run.
 */
export class SchemaVersionError extends HephaestusError {
  static {
    this.prototype.name = "SchemaVersionError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "SCHEMA_VERSION";
  /** Whether `hephaestus migrate` fixes it: the tables are missing or older than the package. */
  readonly migratable: boolean;

  /** Uses the message as it is. */
  constructor(message: string, options: ErrorOptions & { readonly migratable?: boolean } = {}) {
    super("SCHEMA_VERSION", message, options);
    this.migratable = options.migratable ?? false;
  }
}

/** Thrown when the server is older than the oldest supported version. Retrying is pointless. */
export class ServerVersionError extends HephaestusError {
  /** Uses the message as it is. */
  constructor(message: string) {
    super("DATABASE_REFUSED", message);
  }
}

/**
 * Thrown when no scheduled delivery has this id: it was delivered, cancelled, or never existed.
 *
 * @example Read the id
 * ```ts
 * import { JobNotFoundError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new JobNotFoundError({ id: "7" }).message,
 *   'Cannot cancel job "7": no such scheduled delivery exists',
 * );
 * ```
 */
export class JobNotFoundError extends HephaestusError {
  static {
    this.prototype.name = "JobNotFoundError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "JOB_NOT_FOUND";
  /** The requested id. */
  readonly id: string;

  /** Builds the message from the id. */
  constructor(of: { id: string }, options?: ErrorOptions) {
    super(
      "JOB_NOT_FOUND",
      `Cannot cancel job "${of.id}": no such scheduled delivery exists`,
      options,
    );
    this.id = of.id;
  }
}
