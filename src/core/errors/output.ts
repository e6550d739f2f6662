import type { InstanceStatus } from "../engine/instance.ts";
import type { Failure } from "../value/failure.ts";
import { HephaestusError } from "./base.ts";
import { type InstanceName, named } from "./instance.ts";

/**
 * Thrown by `handle.output()` when the instance has ended without completing, so that there is no
 * output.
 *
 * @example Read why there is no output
 * ```ts
 * import { NotCompletedError } from "@hephaestus/workflow";
 * import { assertEquals } from "@std/assert";
 *
 * const of = { workflow: "order", key: "orderid::abc123", id: "0199", status: "failed" } as const;
 * const failure = { name: "Error", message: "The card was stolen" };
 * const error = new NotCompletedError({ ...of, failure });
 * assertEquals(
 *   error.message,
 *   'Cannot read the output of order "orderid::abc123": instance "0199" is failed ' +
 *     "(The card was stolen). Only completed instances have one: use result() to handle other ends",
 * );
 * ```
 */
export class NotCompletedError extends HephaestusError {
  static {
    this.prototype.name = "NotCompletedError";
  }
  /** Identifies the error where `instanceof` does not work. */
  declare readonly code: "NOT_COMPLETED";
  /** Name of the workflow. */
  readonly workflow: string | undefined;
  /** The business key. */
  readonly key: string | undefined;
  /** Id of the instance. */
  readonly id: string | undefined;
  /** How the instance ended. */
  readonly status: InstanceStatus;
  /** Why it failed or was cancelled. */
  readonly failure: Failure | undefined;

  /** Builds the message from the instance. */
  constructor(
    of: InstanceName & { status: InstanceStatus; failure?: Failure | undefined },
    options?: ErrorOptions,
  ) {
    const instance = of.id === undefined ? "instance" : `instance "${of.id}"`;
    const why = of.failure === undefined ? "" : ` (${of.failure.message})`;
    const sentence = `Cannot read the output of ${named(of)}: ${instance} is ${of.status}${why}`;
    super(
      "NOT_COMPLETED",
      `${sentence}. Only completed instances have one: use result() to handle other ends`,
      options,
    );
    this.workflow = of.workflow;
    this.key = of.key;
    this.id = of.id;
    this.status = of.status;
    this.failure = of.failure;
  }
}
