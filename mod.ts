/**
 * Durable workflows for TypeScript on the PostgreSQL that you already run.
 *
 * A workflow is a typed graph of steps; each step is a durable job. Kill any process at any moment: nothing is lost.
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
 * @module
 */
export type { Handle } from "./src/client/handle.ts";
export type { HephaestusOptions } from "./src/client/options.ts";
export { choice } from "./src/core/define/choice.ts";
export type { Outcome } from "./src/core/define/emit.ts";
export type { Duration } from "./src/core/value/duration.ts";
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
  NotDeletableError,
  NotWaitingError,
  PayloadTooLargeError,
  RetryLaterError,
  SchemaVersionError,
  StepTimeoutError,
  UnknownWorkflowError,
  WorkflowDefinitionError,
} from "./src/core/errors/errors.ts";
export type { Instance } from "./src/core/engine/instance.ts";
export type { RetryPolicy } from "./src/core/value/retry.ts";
export { signal, timer } from "./src/core/define/signal.ts";
export { type Delivery } from "./src/core/define/emit.ts";
export { type Step, step } from "./src/core/define/step.ts";
export { done, first, join } from "./src/core/define/target.ts";
export { type } from "./src/core/value/type.ts";
export { versioned } from "./src/core/graph/version.ts";
export { type DeliveryOf, type InputOf, type Workflow } from "./src/core/graph/workflow.ts";
export { workflow } from "./src/core/graph/builder.ts";
export { Hephaestus } from "./src/hephaestus.ts";
export { fromDrizzle } from "./src/postgres/user_sql/caller_libraries.ts";
export { connections } from "./src/postgres/driver/connections.ts";

// The types that the signatures above mention: few programs name them, readers look them up.
export type { AnyWorkflow, InstanceTarget } from "./src/client/find.ts";
export type { DeleteOptions } from "./src/client/end.ts";
export type { ListOptions, Page } from "./src/client/list.ts";
export type { WorkOptions } from "./src/client/options.ts";
export type { CancelOptions } from "./src/client/end.ts";
export type { DeliveryStatus, InTransaction, ScheduleOptions } from "./src/client/deliver.ts";
export type {
  StartedHandle,
  StartItem,
  StartManyOptions,
  StartOptions,
} from "./src/client/start.ts";
export type { Worker } from "./src/client/worker.ts";
export type { ChoiceOptions } from "./src/core/define/choice.ts";
export type { Context, InstanceRef, Sql, Transaction } from "./src/core/define/context.ts";
export type {
  Emit,
  EmitArguments,
  EmitLater,
  EmitOptions,
  EmittedOf,
  OutcomeOf,
  Postponed,
  StepEvents,
} from "./src/core/define/emit.ts";
export type { ErrorCode, InstanceName, Problem } from "./src/core/errors/errors.ts";
export type { Failure } from "./src/core/value/failure.ts";
export type { Arrival, ArrivalMode, Graph, GraphStep, StepKind } from "./src/core/graph/graph.ts";
export type { Scope } from "./src/core/value/identity.ts";
export type { HistoryEntry, InstanceStatus } from "./src/core/engine/instance.ts";
export type { Json, JsonObject } from "./src/core/value/json.ts";
export type { Logger } from "./src/observe/logger.ts";
export type { SignalOptions } from "./src/core/define/signal.ts";
export type {
  AsyncStep,
  FactsOf,
  Returned,
  SeenOf,
  StepOptions,
  StepsOf,
  WithExpiry,
} from "./src/core/define/step.ts";
export type { Deliver } from "./src/core/define/emit.ts";
export type { Need, StepDefinition } from "./src/core/define/step_definition.ts";
export type { Done, First, Join, Move, MoveTarget } from "./src/core/define/target.ts";
export type {
  AboutAttempt,
  AboutInstance,
  AboutJob,
  Advance,
  EventName,
  Events,
  JobCancel,
  JobClaim,
  JobDiscard,
  JobRescue,
  JobRetry,
  JobSnooze,
  JobStop,
  Listener,
  RunnerInit,
  StepAsync,
  StepException,
  StepResume,
  StepStart,
  StepStop,
  WorkflowException,
  WorkflowStart,
  WorkflowStop,
  WorkflowTransition,
} from "./src/core/events.ts";
export type {
  GivenOf,
  Issue,
  JsonSafe,
  Mistake,
  Type,
  TypeOf,
  Validated,
} from "./src/core/value/type.ts";
export type { PickOptions, VersionedWorkflow } from "./src/core/graph/version.ts";
export type { FirstRow, Pending, WorkflowBuilder } from "./src/core/graph/builder_types.ts";
export type { WorkflowOptions } from "./src/core/graph/builder.ts";
export type { AddressOptions, SslMode } from "./src/postgres/driver/address/address.ts";
export type { PostgresOptions } from "./src/postgres/backend.ts";
export type { ConnectionsOptions, SharedConnections } from "./src/postgres/driver/connections.ts";
export type {
  AnyTransaction,
  CallerTx,
  DrizzleSql,
  DrizzleTx,
  KyselyTx,
  PgClient,
  PostgresJsTx,
} from "./src/postgres/user_sql/caller_libraries.ts";
export type { QueueNames } from "./src/runner/runtime.ts";
export type { Backend } from "./src/backend/store.ts";
