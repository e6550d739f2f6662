/**
 * Durable workflows for TypeScript on the PostgreSQL that you already run.
 *
 * A workflow is a typed graph of steps, and each step is a durable job. Kill any process at any
 * moment: nothing is lost.
 *
 * @example A workflow of two steps
 * ```ts
 * import { done, Hephaestus, step, type, workflow } from "@hephaestus/workflow";
 * import { memory } from "@hephaestus/workflow/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const charge = step("charge", {
 *   input: type<{ cents: number }>(),
 *   events: { charged: type<{ receipt: string }>() },
 *   run: ({ input, emit }) => emit.charged({ receipt: `r-${input.cents}` }),
 * });
 * const ship = step("ship", {
 *   needs: [charge.when("charged")],
 *   events: { shipped: type<{ label: string }>() },
 *   run: ({ steps, emit }) => emit.shipped({ label: steps.charge.receipt }),
 * });
 * const order = workflow("order", { key: "orderid", input: type<{ cents: number }>(), start: charge })
 *   .on(charge, { charged: ship })
 *   .on(ship, { shipped: done })
 *   .build();
 *
 * // With PostgreSQL: new Hephaestus({ url: "postgres://...", workflows: [order] })
 * await using hephaestus = new Hephaestus({ backend: memory(), workflows: [order] });
 * await using _worker = hephaestus.work();
 * const started = await hephaestus.start(order, "abc123", { cents: 990 });
 * assertEquals((await started.result()).status, "completed");
 * ```
 *
 * The other entry points: `./postgres` (migrations, the doctor, connections), `./testing`,
 * `./events` (event payloads), `./types` (types used in signatures) and `./cli`.
 *
 * @module
 */

// Every name has an example in its documentation, or a comment that says why it is here. At most 60
// names: types that only appear in signatures belong in src/types.ts.

// Define a workflow.
export { workflow } from "./src/core/graph/builder.ts";
export type { DeliveryOf, InputOf, Workflow } from "./src/core/graph/workflow.ts";
export { versioned } from "./src/core/graph/version.ts";
export { type Step, step } from "./src/core/define/step.ts";
export { choice } from "./src/core/define/choice.ts";
export { child } from "./src/core/child/child.ts";
export { each } from "./src/core/each/each.ts";
export { signal, timer } from "./src/core/define/signal.ts";
export { again, done, drop, first, join, undo } from "./src/core/define/target.ts";
export { type Type, type } from "./src/core/value/type.ts";
export type { Context } from "./src/core/define/context.ts";
export type { Sql } from "./src/core/define/context.ts"; // for helpers in a step's transaction
export type { Delivery, Outcome } from "./src/core/define/emit.ts";
export type { Duration } from "./src/core/value/duration.ts";
export type { RetryPolicy } from "./src/core/value/retry.ts";
export type { Json } from "./src/core/value/json.ts"; // a stored value of unknown shape
export type { JsonObject } from "./src/core/value/json.ts"; // metadata that a helper builds

// Run it.
export { Hephaestus } from "./src/hephaestus.ts";
export type { HephaestusOptions } from "./src/client/options.ts"; // for an engine factory
export type { WorkOptions } from "./src/client/options.ts"; // worker settings kept in a config file
export type { Worker } from "./src/client/worker.ts"; // kept by the code that stops it
export type { Logger } from "./src/observe/logger.ts";
export type { StartOptions } from "./src/client/start.ts"; // passed on by a function that starts
export type { Handle } from "./src/client/handle.ts"; // returned by a function that starts
export type { DeliveryStatus } from "./src/client/deliver.ts"; // the response of a webhook handler
export type { InstanceTarget } from "./src/client/find.ts"; // the instance that a function works on
export type { ListOptions } from "./src/client/list.ts"; // the filters of a dashboard
export type { Page } from "./src/client/list.ts"; // what a dashboard shows
export type { Instance } from "./src/core/engine/instance.ts"; // what get() and result() return
export type { InstanceStatus } from "./src/core/engine/instance.ts"; // a filter or a switch
export type { HistoryEntry } from "./src/core/engine/instance.ts"; // what an instance page shows
export type { StepFailure } from "./src/core/value/failure.ts"; // a helper behind roads for failed
export type { Failure } from "./src/core/value/failure.ts"; // why an instance or an attempt failed
export { connections } from "./src/postgres/driver/connections.ts";
export { fromDrizzle } from "./src/postgres/user_sql/caller_libraries.ts";

// Handle errors.
export {
  AlreadyRunningError,
  AmbiguousKeyError,
  FatalError,
  GraphChangedError,
  HephaestusError,
  InstanceNotFoundError,
  InvalidValueError,
  JobNotFoundError,
  NotCancellableError,
  NotCompletedError,
  NotDeletableError,
  NotWaitingError,
  PayloadTooLargeError,
  RetryLaterError,
  StepTimeoutError,
  UnknownWorkflowError,
  WorkflowDefinitionError,
} from "./src/core/errors/errors.ts";
export { SchemaVersionError } from "./src/core/errors/errors.ts"; // a deploy must migrate first
export type { ErrorCode } from "./src/core/errors/errors.ts"; // for a complete table of responses
