import type { Duration } from "./duration.ts";
import type { InstanceStatus } from "./instance.ts";

/** Says which error it is where `instanceof` cannot, for instance behind a process boundary. */
export type ErrorCode =
  | "WORKFLOW_DEFINITION"
  | "ALREADY_RUNNING"
  | "INSTANCE_NOT_FOUND"
  | "NOT_WAITING"
  | "NOT_CANCELLABLE"
  | "UNKNOWN_WORKFLOW"
  | "SCHEMA_VERSION"
  | "AMBIGUOUS_KEY"
  | "INVALID_VALUE"
  | "PAYLOAD_TOO_LARGE"
  | "JOB_NOT_FOUND"
  | "FATAL"
  | "RETRY_LATER"
  | "STEP_TIMEOUT";

/** The instance an error is about, by business key or by id. */
export interface Named {
  readonly workflow?: string | undefined;
  readonly key?: string | undefined;
  readonly id?: string | undefined;
}

/** What is wrong at one place of a value. The message continues "value at ...". */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/**
 * The base of all errors that a caller may want to catch.
 *
 * @example Tell them from others
 * ```ts
 * import { FatalError, HephaestusError } from "@hephaestus/workflow";
 * import { assert } from "@std/assert";
 *
 * assert(new FatalError("The card was stolen") instanceof HephaestusError);
 * ```
 */
export class HephaestusError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Says that a definition cannot run: of a workflow, a step or the options. */
export class WorkflowDefinitionError extends HephaestusError {
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
  declare readonly code: "SCHEMA_VERSION";

  constructor(message: string, options?: ErrorOptions) {
    super("SCHEMA_VERSION", message, options);
  }
}

/** Says that a business key names several instances, as it can where keys need not be unique. */
export class AmbiguousKeyError extends HephaestusError {
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

/**
 * Says that a value is not what its place allows: JSON cannot carry it, or its schema refuses it.
 *
 * @example Read where
 * ```ts
 * import { InvalidValueError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const problems = [{ path: "items[3].when", message: "is a Date, which JSON cannot carry" }];
 * assertEquals(
 *   new InvalidValueError({ what: 'output of step "charge"', problems }).message,
 *   'Cannot store output of step "charge": value at "items[3].when" is a Date, which JSON cannot carry',
 * );
 * ```
 */
export class InvalidValueError extends HephaestusError {
  declare readonly code: "INVALID_VALUE";
  readonly what: string;
  readonly problems: readonly Problem[];

  constructor(
    of: { what: string; problems: readonly Problem[]; action?: string },
    options?: ErrorOptions,
  ) {
    const shown = of.problems.slice(0, 5).map(({ path, message }) =>
      `value ${path === "" ? "" : `at "${path}" `}${message}`
    );
    const more = of.problems.length > shown.length
      ? [`${of.problems.length - shown.length} more`]
      : [];
    const sentence = `Cannot ${of.action ?? "store"} ${of.what}: ${[...shown, ...more].join(", ")}`;
    super("INVALID_VALUE", sentence, options);
    this.what = of.what;
    this.problems = of.problems;
  }
}

/** Says that a value takes more bytes than the limit allows. */
export class PayloadTooLargeError extends HephaestusError {
  declare readonly code: "PAYLOAD_TOO_LARGE";
  readonly what: string;
  /** The bytes counted when the limit was passed: the value has at least this many. */
  readonly size: number;
  readonly limit: number;

  constructor(of: { what: string; size: number; limit: number }, options?: ErrorOptions) {
    const { what, size, limit } = of;
    const sentence = `Cannot store ${what}: it has at least ${size} bytes, the limit is ${limit}`;
    super("PAYLOAD_TOO_LARGE", sentence, options);
    this.what = what;
    this.size = size;
    this.limit = limit;
  }
}

/** Says that no scheduled delivery has this id: it was made, cancelled, or never there. */
export class JobNotFoundError extends HephaestusError {
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

/**
 * Thrown by a step that must not be tried again: the step fails at once.
 *
 * @example Give up on a stolen card
 * ```ts
 * import { FatalError } from "@hephaestus/workflow";
 *
 * const charge = (card: { stolen: boolean }) => {
 *   if (card.stolen) throw new FatalError("The card was stolen");
 * };
 * charge({ stolen: false });
 * ```
 */
export class FatalError extends HephaestusError {
  declare readonly code: "FATAL";

  constructor(message: string, options?: ErrorOptions) {
    super("FATAL", message, options);
  }
}

/**
 * Thrown by a step that is to run again later, without using up an attempt.
 *
 * @example Wait for a gateway that asks for patience
 * ```ts
 * import { RetryLaterError } from "@hephaestus/workflow";
 *
 * const check = (status: number) => {
 *   if (status === 429) throw new RetryLaterError({ after: "30s", reason: "too many requests" });
 * };
 * check(200);
 * ```
 */
export class RetryLaterError extends HephaestusError {
  declare readonly code: "RETRY_LATER";
  readonly after: Duration;
  readonly reason: string | undefined;

  constructor(of: { after: Duration; reason?: string }, options?: ErrorOptions) {
    const reason = of.reason === undefined ? "" : `: ${of.reason}`;
    super("RETRY_LATER", `Cannot finish yet${reason}`, options);
    this.after = of.after;
    this.reason = of.reason;
  }
}

/** Says that an attempt of a step took longer than its time limit. `limit` in milliseconds. */
export class StepTimeoutError extends HephaestusError {
  declare readonly code: "STEP_TIMEOUT";
  readonly step: string;
  readonly limit: number;

  constructor(of: { step: string; limit: number }, options?: ErrorOptions) {
    const sentence = `Cannot finish step "${of.step}": its time limit of ${of.limit} ms has passed`;
    super("STEP_TIMEOUT", sentence, options);
    this.step = of.step;
    this.limit = of.limit;
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

// Names live on the prototypes: there they survive minification and head the stack.
const classes = {
  HephaestusError,
  WorkflowDefinitionError,
  AlreadyRunningError,
  InstanceNotFoundError,
  NotWaitingError,
  NotCancellableError,
  UnknownWorkflowError,
  SchemaVersionError,
  AmbiguousKeyError,
  InvalidValueError,
  PayloadTooLargeError,
  JobNotFoundError,
  FatalError,
  RetryLaterError,
  StepTimeoutError,
};
for (const [name, { prototype }] of Object.entries(classes)) prototype.name = name;
