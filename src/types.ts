/**
 * The types that appear in the signatures of `@hephaestus/workflow`. Few programs need to import
 * them; they are here to be looked up.
 *
 * @example A helper that starts instances of any workflow
 * ```ts
 * import type { Handle, Hephaestus } from "@hephaestus/workflow";
 * import type { AnyWorkflow, StartItem } from "@hephaestus/workflow/types";
 *
 * export async function importAll(
 *   engine: Hephaestus,
 *   workflow: AnyWorkflow,
 *   items: readonly StartItem[],
 * ): Promise<readonly Handle[]> {
 *   return await engine.startMany(workflow, items);
 * }
 * ```
 *
 * @module
 */

// Types of steps.
export type { ChildEvents, ChildOptions } from "./core/child/child.ts";
export type { ChoiceOptions } from "./core/define/choice.ts";
export type { InstanceRef, Transaction } from "./core/define/context.ts";
export type {
  Deliver,
  DeliverArguments,
  DeliverOptions,
  Emit,
  EmitArguments,
  EmitLater,
  EmitOptions,
  EmittedOf,
  OutcomeOf,
  Postponed,
  StepEvents,
} from "./core/define/emit.ts";
export type {
  EachFailure,
  EachOptions,
  EmitItem,
  ItemContext,
  ItemOutcome,
  OnFailure,
} from "./core/each/each.ts";
export type { ItemPolicy } from "./core/each/counts.ts";
export type { SignalOptions, TimerOptions } from "./core/define/signal.ts";
export type {
  AsyncStep,
  CanFail,
  FactsOf,
  FailureOutcome,
  Returned,
  SeenOf,
  StepOptions,
  StepsOf,
  WithExpiry,
} from "./core/define/step.ts";
export type {
  ChildDefinition,
  ItemDefinition,
  Need,
  StepDefinition,
  UndoDefinition,
} from "./core/define/step_definition.ts";
export type { StepTime, TimeContext, TimeOption } from "./core/define/times.ts";
export type {
  Again,
  Done,
  Drop,
  First,
  Join,
  Move,
  MoveTarget,
  Undo,
} from "./core/define/target.ts";
export type { UndoCode, UndoContext, Undone } from "./core/define/undo.ts";
export type { ParentStep, UndoOn, UndoReason } from "./core/engine/instance.ts";
export type { Due, Time } from "./core/value/time.ts";
export type { GivenOf, Issue, JsonSafe, Mistake, TypeOf, Validated } from "./core/value/type.ts";

// Types of workflows.
export type { WorkflowOptions } from "./core/graph/builder.ts";
export type { FirstRow, Pending, WorkflowBuilder } from "./core/graph/builder_types.ts";
export type {
  Arrival,
  ArrivalMode,
  BackEdge,
  Graph,
  GraphStep,
  StepKind,
} from "./core/graph/graph.ts";
export type { OutputsOf, Returning, Returns } from "./core/graph/returns_types.ts";
export type { PickOptions, VersionedWorkflow } from "./core/graph/version.ts";
export type { Scope } from "./core/value/identity.ts";

// Types of the engine's options and results.
export type { InTransaction, ScheduleOptions } from "./client/deliver.ts";
export type { CancelOptions, DeleteOptions } from "./client/end.ts";
export type { ByHand } from "./client/by_hand/by_hand.ts";
export type { RetryOptions } from "./client/by_hand/acts.ts";
export type { ForkOptions } from "./client/by_hand/fork.ts";
export type { RewindOptions, StepOf } from "./client/by_hand/rewind.ts";
export type { AnyWorkflow } from "./client/find.ts";
export type {
  CompletedInstance,
  HandleOf,
  IncompleteInstance,
  OutputOf,
  ResultOf,
  WaitOptions,
} from "./client/handle.ts";
export type { StartedHandle, StartItem, StartManyOptions } from "./client/start.ts";
export type { Forked, Retried, Rewound } from "./core/engine/by_hand/fold.ts";
export type { InstanceName, Problem } from "./core/errors/errors.ts";
export type { QueueNames } from "./runner/runtime.ts";
