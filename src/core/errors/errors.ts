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
export { FatalError, RetryLaterError, StepTimeoutError } from "./step.ts";
export { InvalidValueError, PayloadTooLargeError, type Problem } from "./value.ts";

/**
 * Says that a definition cannot run: of a workflow, a step or the options.
 *
 * @example See a name that cannot be
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
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "WORKFLOW_DEFINITION";

  /** Takes the sentence as it is. */
  constructor(message: string, options?: ErrorOptions) {
    super("WORKFLOW_DEFINITION", message, options);
  }
}

/**
 * Says that nobody has registered this workflow, or this version of it. `known` is what there is
 * instead.
 *
 * @example Read what there is instead
 * ```ts
 * import { UnknownWorkflowError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   new UnknownWorkflowError({ workflow: "order", version: 3, known: [1, 2] }).message,
 *   'Cannot find version 3 of workflow "order": versions are 1, 2',
 * );
 * ```
 */
export class UnknownWorkflowError extends HephaestusError {
  static {
    this.prototype.name = "UnknownWorkflowError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "UNKNOWN_WORKFLOW";
  /** The name that was asked for. */
  readonly workflow: string;
  /** The version that was asked for; `undefined` when no workflow has the name. */
  readonly version: number | undefined;
  /** The names, or the versions of this workflow, that there are. */
  readonly known: readonly (string | number)[];

  /** Makes the sentence of what was asked for and of what there is. */
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

/**
 * Says that the tables in the database do not fit this version of the package, and which command to
 * run.
 */
export class SchemaVersionError extends HephaestusError {
  static {
    this.prototype.name = "SchemaVersionError";
  }
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "SCHEMA_VERSION";
  /**
   * Whether `hephaestus migrate` mends it: there are no tables yet, or they are older than the
   * package.
   */
  readonly migratable: boolean;

  /** Takes the sentence as it is. */
  constructor(message: string, options: ErrorOptions & { readonly migratable?: boolean } = {}) {
    super("SCHEMA_VERSION", message, options);
    this.migratable = options.migratable ?? false;
  }
}

/** Says that the server is older than the oldest that is supported: to try again is pointless. */
export class ServerVersionError extends HephaestusError {
  /** Takes the sentence as it is. */
  constructor(message: string) {
    super("DATABASE_REFUSED", message);
  }
}

/**
 * Says that no scheduled delivery has this id: it was made, cancelled, or never there.
 *
 * @example Read which one
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
  /** Tells it from the others where `instanceof` cannot. */
  declare readonly code: "JOB_NOT_FOUND";
  /** The id that was asked for. */
  readonly id: string;

  /** Makes the sentence of the job that is not there. */
  constructor(of: { id: string }, options?: ErrorOptions) {
    super(
      "JOB_NOT_FOUND",
      `Cannot cancel job "${of.id}": no such scheduled delivery exists`,
      options,
    );
    this.id = of.id;
  }
}
