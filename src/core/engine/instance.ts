import type { ItemCounts } from "../each/counts.ts";
import type { Failure } from "../value/failure.ts";
import type { JsonObject } from "../value/json.ts";

/** The status of an instance. The first four are active, the last four final. */
export type InstanceStatus =
  | "pending"
  | "running"
  | "waiting"
  | "undoing"
  | "completed"
  | "failed"
  | "cancelled"
  | "undone";

/** All statuses. */
export const instanceStatuses: readonly InstanceStatus[] = [
  "pending",
  "running",
  "waiting",
  "undoing",
  "completed",
  "failed",
  "cancelled",
  "undone",
];

/** The statuses of instances that have not ended. */
export const activeStatuses: readonly InstanceStatus[] = [
  "pending",
  "running",
  "waiting",
  "undoing",
];

/** Whether the status is final, so that the instance never changes again. */
export function isFinal(status: InstanceStatus): boolean {
  return !activeStatuses.includes(status);
}

/** Why an instance undoes what its steps have done. */
export interface UndoReason {
  /** The status that the instance gets once everything is undone. */
  readonly status: "undone" | "failed" | "cancelled";
  /** The step whose event led to `undo`, or which failed; `undefined` for a cancel. */
  readonly step?: string;
  /** The event that led to `undo`. */
  readonly event?: string;
  /** Why the instance failed or was cancelled. Not more than 1,000 characters of it. */
  readonly message?: string;
}

/** An end that is not `completed` and before which an instance can undo. */
export type UndoOn = "failed" | "cancelled";

/** A step that has started and not ended. */
export interface ActiveStep {
  readonly activation: number;
  /** What started it: the key of an activation, `""` (the start) or `"*"` (a join). */
  readonly cause: string;
  /** The activation whose idempotency key it uses: of a step that was retried, the one before. */
  readonly keyOf?: number | undefined;
}

/** How often loops have led back to one step. */
export interface Rounds {
  /** In all: each time, the steps of the loop get a new activation. */
  readonly total: number;
  /** Since the loop was entered. The limit counts these. */
  readonly since: number;
}

/** What an instance has returned: an ending under the name of its outcome. */
export interface ReturnedEnding {
  readonly outcome: string;
  readonly step: string;
  readonly activation: number;
}

/** The step of another instance that waits for the end of this one, its child. */
export interface ParentStep {
  /** The id of the other instance. */
  readonly instance: string;
  /** The step. */
  readonly step: string;
  /** Its activation. */
  readonly activation: number;
}

/** What callers see of a {@linkcode ParentLink}. */
export function parentStep({ instance, step, activation }: ParentStep): ParentStep {
  return { instance, step, activation };
}

/** What a child keeps of its parent. */
export interface ParentLink extends ParentStep {
  /** How many ancestors the child has. */
  readonly depth: number;
  /** The queue of the job that tells the parent. */
  readonly queue: string;
  /** Whether the child goes on when that step is withdrawn. */
  readonly detached: boolean;
}

/**
 * The state that the engine needs to continue an instance. Inputs and outputs are not part of it,
 * so that it stays small: every advance rewrites it.
 */
export interface Control {
  /** Steps that have started and not ended. */
  readonly active: ReadonlyMap<string, ActiveStep>;
  /** The activation under which each step last ended, for steps where it is not the first. */
  readonly activations: ReadonlyMap<string, number>;
  /** How often loops have led back to each step. */
  readonly rounds: ReadonlyMap<string, Rounds>;
  /** How many activations of each step a person has added by starting it again. */
  readonly restarted: ReadonlyMap<string, number>;
  /** How many steps have arrived at each join that has not started yet. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Steps that `first` has started: later arrivals are ignored. */
  readonly begun: ReadonlySet<string>;
  /** First steps of dropped branches: nothing of them starts any more in this round. */
  readonly dropped: ReadonlySet<string>;
  /** Asynchronous steps whose code has returned and that wait for a delivery. */
  readonly later: ReadonlySet<string>;
  /** Keys of activations whose delivery arrived before their wait and is kept. */
  readonly early: ReadonlySet<string>;
  /** The counts of the items of active steps over lists: their size does not grow with the list. */
  readonly each: ReadonlyMap<string, ItemCounts>;
  /** What each step has added to the metadata; the key `""` holds the metadata of the start. */
  readonly metadata: ReadonlyMap<string, JsonObject>;
  /**
   * For steps that have ended and may still start others: the steps in their past, including
   * themselves, that have added to the metadata.
   */
  readonly past: ReadonlyMap<string, readonly string[]>;
  /** Before which ends the instance undoes what its steps have done. */
  readonly undoOn: ReadonlySet<UndoOn>;
  /** Why it undoes, from when it begins to. */
  readonly undo: UndoReason | undefined;
  /** What the instance returns when it completes, once that ending has been applied. */
  readonly returned: ReturnedEnding | undefined;
  /** The step that started it as its child. */
  readonly parent: ParentLink | undefined;
}

/** One run of a workflow. */
export interface Instance<In = unknown> {
  /** UUIDv7, globally unique. */
  readonly id: string;
  /**
   * The business key, for instance `"orderid::abc123"`. It can be started again once this instance
   * is final.
   */
  readonly key: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /**
   * Version of the workflow that this instance started with. Only `migrateInstances` changes it.
   */
  readonly version: number;
  /** The current status. */
  readonly status: InstanceStatus;
  /** The input that it was started with. */
  readonly input: In;
  /** Names of the steps that have started and not ended. */
  readonly active: readonly string[];
  /** The step that started it as its child. */
  readonly parent?: ParentStep;
  /** Tags of the workflow and of the start. */
  readonly tags: readonly string[];
  /** Metadata of the workflow, the start and the steps, merged in row order. */
  readonly metadata: JsonObject;
  /** Why it failed or was cancelled. */
  readonly error: Failure | undefined;
  /** How often it has been written. */
  readonly revision: number;
  /** When it was started, by the database's clock. */
  readonly insertedAt: Date;
  /** When it was last written, by the database's clock. */
  readonly updatedAt: Date;
  /** When it became final, by the database's clock. */
  readonly finishedAt: Date | undefined;
}

/** An instance that has ended, with what it has returned if its workflow returns anything. */
export interface EndedInstance<In = unknown> extends Instance<In> {
  /** The name of the outcome. */
  readonly outcome?: string;
  /** The output of the outcome. */
  readonly output?: unknown;
}

/** How one step of an instance ended. */
export interface HistoryEntry {
  /**
   * Name of the step. Of its undo, the name after a `~`: `"~charge"`. Of its items, the name before
   * `[]`: `"render[]"`.
   */
  readonly step: string;
  /** The activation: 1 for the first run of the step, and for the first item of a list. */
  readonly activation: number;
  /**
   * The event that it emitted; `"__failed__"` when it failed for good, `"__async__"` when it began
   * to wait, `"__dropped__"` when its branch was dropped or its instance began to undo. A retry by
   * hand has a row of its own: its step is `"^"`, its event `"__retried__"`, and its output is a
   * `Retried`. When a step over a list begins, a row with `"__items__"` has the number of its
   * items.
   */
  readonly event: string;
  /** The output of the event. */
  readonly output: unknown;
  /** What it added to the instance's metadata. */
  readonly metadata: JsonObject | undefined;
  /** How many attempts it took. */
  readonly attempts: number;
  /** What the failed attempts threw, oldest first. */
  readonly errors: readonly Failure[];
  /** `applied`; `pending` until an advance reads it; `ignored` when it came too late. */
  readonly state: "applied" | "pending" | "ignored";
  /** The revision of the instance that applied it, which gives the order of events. */
  readonly revision: number | undefined;
  /** When the last attempt started; `undefined` for deliveries and choices. */
  readonly startedAt: Date | undefined;
  /** When the result was recorded. */
  readonly at: Date;
  /** The process that ran it; `undefined` for deliveries. */
  readonly process: string | undefined;
}
