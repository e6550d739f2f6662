import type { NewDelivery, Pass, Recording, ResultKey, Turn } from "./turn.ts";
import type { Activation } from "../core/engine/activation.ts";
import type { Failure } from "../core/value/failure.ts";
import type { Control, HistoryEntry, Instance, InstanceStatus } from "../core/engine/instance.ts";
import type { JsonObject } from "../core/value/json.ts";
import type { JobId, NewJob } from "./job.ts";
import type { Queue } from "./queue.ts";
import type { OtherGraph, VersionGraph } from "./graphs.ts";

/** The caller's own open transaction. What it may be, the adapter says. */
export type CallerTransaction = object;

/** An instance to be started, with the jobs of its first steps. Values are JSON texts. */
export interface NewInstance {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  /** The fingerprint of the graph that it begins with. */
  readonly graph: string | undefined;
  readonly key: string;
  readonly uniqueKey: string | undefined;
  readonly status: InstanceStatus;
  readonly control: string;
  readonly tags: readonly string[];
  readonly metadata: string;
  readonly error: string | undefined;
  readonly input: string;
  /** Choices that were decided at the start. */
  readonly recorded: Turn["recorded"];
  readonly started: readonly NewJob[];
}

/** Instances that were written, each with the time of it by the store's clock. */
export type Written = ReadonlyMap<string, Date>;

/** What an advance reads of an instance. */
export interface InstanceState {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  /**
   * The fingerprint of the graph that it began with; `undefined` when it began before that was
   * kept.
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
  /** Why the step has failed, where it has. */
  readonly failure: Failure | undefined;
}

/** How a step ended, for those that read it. */
export interface StepOutput extends Activation {
  readonly event: string;
  readonly output: unknown;
  /** What had started the step, as keys of activations. */
  readonly causes: readonly string[];
}

/** `kept` when there was nothing to write: `status` says how the instance stands. */
export type LockedCommit =
  | { readonly kind: "written"; readonly at: Date }
  | { readonly kind: "kept"; readonly status: InstanceStatus | undefined };

/**
 * `deleted`, `at` by the store's clock; `active` when it was left alone. `status` is the one
 * before.
 */
export type DeleteResult =
  | { readonly kind: "deleted"; readonly status: InstanceStatus; readonly at: Date }
  | { readonly kind: "active"; readonly status: InstanceStatus }
  | { readonly kind: "missing" };

/** What a delivery met. */
export type Delivered =
  | { readonly kind: "accepted" | "early" | "duplicate" }
  | { readonly kind: "final"; readonly status: InstanceStatus }
  | { readonly kind: "over"; readonly event: string }
  | { readonly kind: "changed"; readonly graph: string }
  | { readonly kind: "missing" };

/**
 * A place in a list, which is newest first: by the time of the start on the store's clock, then by
 * id.
 */
export interface Place {
  /** Microseconds since 1970. */
  readonly insertedAt: string;
  readonly id: string;
}

/** Which instances a list holds. All given conditions must hold. */
export interface Filter {
  readonly ids?: readonly string[] | undefined;
  readonly key?: string | undefined;
  readonly workflow?: string | undefined;
  readonly version?: number | undefined;
  readonly statuses?: readonly InstanceStatus[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Holds when the instance's metadata contains it. */
  readonly metadata?: JsonObject | undefined;
  /** The active instance that has taken this unique key. */
  readonly uniqueKey?: string | undefined;
  readonly limit: number;
}

/** A part of a list. */
export interface ListPart {
  readonly items: readonly Instance[];
  /** Where the next one begins; `undefined` when there is none. */
  readonly next: Place | undefined;
}

/** What may be done inside one transaction of the store. */
export interface StoreTransaction {
  /** The handle for the user's own statements, where the store has one. */
  readonly sql: unknown;
  commit(process: string, turns: readonly Turn[]): Promise<Written>;
  record(records: readonly Recording[]): Promise<ReadonlySet<JobId>>;
}

/**
 * Instances and results, and the commits that move them together with their jobs. Decides nothing.
 */
export interface Store {
  /**
   * Inserts instances and their first jobs in one statement. Returns those that were inserted or
   * are there from an earlier try.
   */
  open(
    process: string | undefined,
    instances: readonly NewInstance[],
    tx?: CallerTransaction,
  ): Promise<Written>;
  /**
   * Enters graphs, and returns the other graphs of their versions with which open instances have
   * begun.
   */
  compare(graphs: readonly VersionGraph[]): Promise<readonly OtherGraph[]>;
  /** The instances that are there, in no order. */
  read(ids: readonly string[]): Promise<readonly InstanceState[]>;
  /** Their unread results. */
  unprocessed(ids: readonly string[]): Promise<readonly UnreadResult[]>;
  /** How these steps of an instance ended; all of them without `steps`. */
  ended(instance: string, steps: readonly Activation[] | undefined): Promise<readonly StepOutput[]>;
  /**
   * Writes turns, at most one for each instance, in one statement. Returns the instances that were
   * written; the others were stale. A process that was declared dead writes nothing.
   */
  commit(process: string, turns: readonly Turn[]): Promise<Written>;
  /** Ends jobs that found nothing to write. Jobs whose lease is stale are left alone. */
  pass(passes: readonly Pass[]): Promise<void>;
  /**
   * Writes results, ends their jobs and wakes advances, in one statement. Returns the jobs whose
   * results stand: not those whose lease is stale, nor those that met a result.
   */
  record(records: readonly Recording[]): Promise<ReadonlySet<JobId>>;
  /** Runs `work` in one transaction, which may run again when the database asks for it. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  /** Writes a delivery and wakes the advance. */
  deliver(delivery: NewDelivery, tx?: CallerTransaction): Promise<Delivered>;
  /** Puts a delivery in for later: a job that `cancelScheduled` takes. */
  schedule(job: NewJob, tx?: CallerTransaction): Promise<void>;
  /** Cancels a scheduled delivery. False when there is none of that id that waits. */
  cancelScheduled(id: JobId): Promise<boolean>;
  /**
   * Locks an instance, asks `turn` for its next turn, and writes it in a later statement of the same
   * transaction: a turn that must not lose against those of a busy instance.
   */
  commitLocked(
    instance: string,
    turn: (state: InstanceState) => Turn | undefined,
    tx?: CallerTransaction,
  ): Promise<LockedCommit>;
  /**
   * Deletes an instance with its results and its jobs; one that is active only with `force`.
   * Whoever watches is told.
   */
  delete(
    instance: string,
    options?: { readonly force?: boolean; readonly tx?: CallerTransaction | undefined },
  ): Promise<DeleteResult>;
  /**
   * Calls `ended` with instances that have become final, and with none when some may have been
   * missed; with the process whose turns have ended them, where that is known.
   */
  watch(ended: (instances: readonly string[], by?: string) => void): AsyncDisposable;
  /** Newest first. */
  list(filter: Filter, tx?: CallerTransaction): Promise<readonly Instance[]>;
  /** The same in pages: those behind a place. */
  page(filter: Filter, after: Place | undefined): Promise<ListPart>;
  history(instance: string): Promise<readonly HistoryEntry[]>;
}

/** Where instances and jobs are kept. */
export interface Backend extends AsyncDisposable {
  /** What it is, for messages. */
  readonly name: string;
}

/** Queue and store on one database: what the runner needs of the world. */
export interface Storage extends Backend {
  readonly queue: Queue;
  readonly store: Store;
  /** Throws when the backend is not ready for work, with a sentence that says what to do. */
  ready(): Promise<void>;
}
