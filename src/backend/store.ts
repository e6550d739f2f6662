import type { Activation } from "../core/engine/activation.ts";
import type {
  Control,
  EndedInstance,
  HistoryEntry,
  Instance,
  InstanceStatus,
  ParentStep,
} from "../core/engine/instance.ts";
import type { Failure } from "../core/value/failure.ts";
import type { JsonObject } from "../core/value/json.ts";
import type { OtherGraph, VersionGraph } from "./graphs.ts";
import type { JobId, NewJob } from "./job.ts";
import type { NewDelivery, Pass, Recording, ResultKey, Turn } from "./turn.ts";

/** An open transaction of the caller. The adapter defines which objects it accepts. */
export type CallerTransaction = object;

/** An instance to insert, with the jobs of its first steps. Values are JSON text. */
export interface NewInstance {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  /** The fingerprint of the graph that it starts with. */
  readonly graph: string | undefined;
  readonly key: string;
  readonly uniqueKey: string | undefined;
  readonly status: InstanceStatus;
  readonly control: string;
  readonly tags: readonly string[];
  readonly metadata: string;
  readonly error: string | undefined;
  readonly input: string;
  /** Choices that were made at the start. */
  readonly recorded: Turn["recorded"];
  readonly started: readonly NewJob[];
  /** The step that starts it as its child. */
  readonly parent?: Pick<ParentStep, "instance" | "step"> | undefined;
}

/** The instances that were written, with the time of the write by the store's clock. */
export type Written = ReadonlyMap<string, Date>;

/** The state that an advance reads. */
export interface InstanceState {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  /**
   * The fingerprint of the graph that it started with; `undefined` for instances that started
   * before fingerprints were stored.
   */
  readonly graph: string | undefined;
  readonly key: string;
  readonly revision: number;
  readonly status: InstanceStatus;
  readonly control: Control;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly input: unknown;
  readonly insertedAt: Date;
}

/** A result that no advance has read yet. */
export interface UnreadResult extends ResultKey {
  readonly instance: string;
  readonly version: number;
  readonly event: string;
  readonly metadata: JsonObject | undefined;
  readonly output: unknown;
  /** How many attempts it took. */
  readonly attempt: number;
  /** The failure of the step, if it failed. */
  readonly failure: Failure | undefined;
}

/** The outcome of a step, for the steps that read it. */
export interface StepOutput extends Activation {
  readonly event: string;
  readonly output: unknown;
  /** The keys of the activations that started the step. */
  readonly causes: readonly string[];
}

/** `kept` when there was nothing to write; `status` is then the status of the instance. */
export type LockedCommit =
  | { readonly kind: "written"; readonly at: Date }
  | { readonly kind: "kept"; readonly status: InstanceStatus | undefined };

/** What goes on with an instance that a person has done something to. */
export interface Reopening {
  readonly turn: Turn;
  /** What must be unique among active instances. */
  readonly uniqueKey: string | undefined;
  /** Results that were ignored and will be read now. */
  readonly unread: readonly ResultKey[];
}

/** A new instance with results of another one. */
export interface Forking {
  readonly instance: NewInstance;
  /** Its revision, which is that of its row and of what is recorded with it. */
  readonly revision: number;
  /** The results that are copied, each with the revision that it gets. */
  readonly copied: readonly (ResultKey & { readonly revision: number })[];
}

/** `taken` when an active instance, `by`, has the unique key. */
export type Reopened = LockedCommit | { readonly kind: "taken"; readonly by: string | undefined };

/**
 * `deleted` includes the time `at` by the store's clock; `active` means that the instance was not
 * deleted. `status` is the status before the call.
 */
export type DeleteResult =
  | { readonly kind: "deleted"; readonly status: InstanceStatus; readonly at: Date }
  | { readonly kind: "active"; readonly status: InstanceStatus }
  | { readonly kind: "missing" };

/** The result of a delivery. */
export type Delivered =
  | { readonly kind: "accepted" | "early" | "duplicate" | "undoing" }
  | { readonly kind: "final"; readonly status: InstanceStatus }
  | { readonly kind: "over"; readonly event: string }
  | { readonly kind: "changed"; readonly graph: string }
  | { readonly kind: "missing" };

/**
 * A position in a list that is sorted newest first: by start time on the store's clock, then by id.
 */
export interface Place {
  /** Microseconds since 1970. */
  readonly insertedAt: string;
  readonly id: string;
}

/** Selects the instances of a list. An instance must meet all given conditions. */
export interface Filter {
  readonly ids?: readonly string[] | undefined;
  readonly key?: string | undefined;
  readonly workflow?: string | undefined;
  readonly version?: number | undefined;
  readonly statuses?: readonly InstanceStatus[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** The instance's metadata must contain this. */
  readonly metadata?: JsonObject | undefined;
  /** Selects the active instance that holds this unique key. */
  readonly uniqueKey?: string | undefined;
  /** Selects the children of this instance. */
  readonly parent?: string | undefined;
  readonly limit: number;
  /** Whether to read what completed instances have returned too. */
  readonly withOutputs?: boolean;
}

/** One page of a list. */
export interface ListPart {
  readonly items: readonly Instance[];
  /** Where the next page begins; `undefined` on the last page. */
  readonly next: Place | undefined;
}

/** The operations inside a transaction of the store. */
export interface StoreTransaction {
  /** The handle for the user's own statements, if the store supports them. */
  readonly sql: unknown;
  open(process: string | undefined, instances: readonly NewInstance[]): Promise<Written>;
  commit(process: string, turns: readonly Turn[]): Promise<Written>;
  record(records: readonly Recording[]): Promise<ReadonlySet<JobId>>;
}

/**
 * Stores instances and results, and commits them together with their jobs. It makes no decisions.
 */
export interface Store {
  /**
   * Inserts instances and their first jobs in one statement. Returns the instances that were
   * inserted now or by an earlier attempt.
   */
  open(
    process: string | undefined,
    instances: readonly NewInstance[],
    tx?: CallerTransaction,
  ): Promise<Written>;
  /**
   * Stores graphs. Returns the different graphs of the same versions that open instances started
   * with.
   */
  compare(graphs: readonly VersionGraph[]): Promise<readonly OtherGraph[]>;
  /** The instances that exist, in no particular order. */
  read(ids: readonly string[]): Promise<readonly InstanceState[]>;
  /** The unread results of these instances. */
  unprocessed(ids: readonly string[]): Promise<readonly UnreadResult[]>;
  /** The outcomes of these steps of an instance, or of all its steps when `steps` is omitted. */
  ended(instance: string, steps: readonly Activation[] | undefined): Promise<readonly StepOutput[]>;
  /**
   * The outcomes of a step's activations from the first to the last of these numbers, in their
   * order.
   */
  endedBetween(
    instance: string,
    step: string,
    first: number,
    last: number,
  ): Promise<readonly StepOutput[]>;
  /**
   * Writes turns, at most one per instance, in one statement. Returns the instances that were
   * written; the other turns were stale. Writes nothing for a process that was declared dead.
   */
  commit(process: string, turns: readonly Turn[]): Promise<Written>;
  /** Ends jobs that had nothing to write. Skips jobs whose lease is stale. */
  pass(passes: readonly Pass[]): Promise<void>;
  /**
   * Writes results, ends their jobs and wakes advances, in one statement. Returns the jobs whose
   * results were recorded. A result is not recorded if its lease is stale or the step already has a
   * result.
   */
  record(records: readonly Recording[]): Promise<ReadonlySet<JobId>>;
  /** Runs `work` in one transaction. `work` may run again when the database asks for a retry. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  /** Writes a delivery and wakes the advance. */
  deliver(delivery: NewDelivery, tx?: CallerTransaction): Promise<Delivered>;
  /**
   * Schedules a delivery as a job, which `cancelScheduled` can cancel. Returns false when its
   * instance has another version now.
   */
  schedule(job: NewJob, tx?: CallerTransaction): Promise<boolean>;
  /** Cancels a scheduled delivery. Returns false when no delivery with this id is pending. */
  cancelScheduled(id: JobId): Promise<boolean>;
  /**
   * Locks an instance, asks `turn` for its next turn, and writes it in a later statement of the
   * same transaction. For turns that must not be outrun by the turns of a busy instance.
   */
  commitLocked(
    instance: string,
    turn: (state: InstanceState) => Turn | undefined,
    tx?: CallerTransaction,
  ): Promise<LockedCommit>;
  /**
   * Writes what a person does to an instance. Locks it, shows its history to `reopening`, and
   * writes what it returns in later statements of the same transaction. If it has ended, it is made
   * active again: its advances are locked too, jobs that have ended are deleted, and scheduled
   * deliveries are scheduled again.
   */
  reopen(
    instance: string,
    reopening: (state: InstanceState, history: readonly HistoryEntry[]) => Reopening | undefined,
    tx?: CallerTransaction,
  ): Promise<Reopened>;
  /**
   * Inserts an instance with results of another one, which it locks. Shows `forking` the history of
   * that one, and writes what it returns in later statements of the same transaction. Returns the
   * time of the write.
   */
  fork(
    source: string,
    forking: (state: InstanceState, history: readonly HistoryEntry[]) => Forking | undefined,
    tx?: CallerTransaction,
  ): Promise<Reopened>;
  /**
   * Deletes an instance with its results and its jobs. Deletes an active one only with `force`.
   * Watchers are notified.
   */
  delete(
    instance: string,
    options?: { readonly force?: boolean; readonly tx?: CallerTransaction | undefined },
  ): Promise<DeleteResult>;
  /**
   * Calls `ended` with instances that have become final. Calls it with an empty list when some may
   * have been missed. `by` is the process whose turns ended them, if known.
   */
  watch(ended: (instances: readonly string[], by?: string) => void): AsyncDisposable;
  /** Lists instances, newest first. */
  list(filter: Filter, tx?: CallerTransaction): Promise<readonly EndedInstance[]>;
  /** Lists instances in pages: those after a position. */
  page(filter: Filter, after: Place | undefined): Promise<ListPart>;
  history(instance: string): Promise<readonly HistoryEntry[]>;
}
