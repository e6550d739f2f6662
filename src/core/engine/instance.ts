import type { Failure } from "../value/failure.ts";
import type { JsonObject } from "../value/json.ts";

/** Where an instance stands. The first three are active, the last three final. */
export type InstanceStatus =
  | "pending"
  | "running"
  | "waiting"
  | "completed"
  | "failed"
  | "cancelled";

/** All of them. */
export const instanceStatuses: readonly InstanceStatus[] = [
  "pending",
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
];

/** The statuses in which an instance still has something to do. */
export const activeStatuses: readonly InstanceStatus[] = ["pending", "running", "waiting"];

/** Whether nothing will ever change this instance again. */
export function isFinal(status: InstanceStatus): boolean {
  return !activeStatuses.includes(status);
}

/** A step that has started and not ended. */
export interface ActiveStep {
  readonly activation: number;
  /** What started it: the key of an activation, `""` (the start) or `"*"` (a join). */
  readonly cause: string;
}

/**
 * What the engine needs to go on with an instance, and nothing else: inputs and outputs are not in
 * it, so that it stays small enough to be rewritten by every advance.
 */
export interface Control {
  /** Steps that have started and not ended. */
  readonly active: ReadonlyMap<string, ActiveStep>;
  /** Under which activation steps ended last, where that was not the first. */
  readonly activations: ReadonlyMap<string, number>;
  /** How many roads have reached each join that has not started yet. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Steps that `first` has started: later arrivals are absorbed. */
  readonly begun: ReadonlySet<string>;
  /** Asynchronous steps whose code has ended and that wait for a delivery. */
  readonly later: ReadonlySet<string>;
  /** Activations, as keys, whose delivery came before their wait and is kept, unprocessed. */
  readonly early: ReadonlySet<string>;
  /**
   * What steps have added to the metadata, by step; then under `""` what the instance was started
   * with.
   */
  readonly metadata: ReadonlyMap<string, JsonObject>;
  /**
   * Of steps that have ended and may still start others: the steps in their past, with themselves,
   * that have added to the metadata.
   */
  readonly past: ReadonlyMap<string, readonly string[]>;
}

/** One running of a workflow. */
export interface Instance<In = unknown> {
  /** UUIDv7, unique for ever. */
  readonly id: string;
  /**
   * The business key, for instance `"orderid::abc123"`. It can run again once this instance is
   * final.
   */
  readonly key: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Version of the workflow that this instance started with and stays on. */
  readonly version: number;
  /** Where it stands. */
  readonly status: InstanceStatus;
  /** What it was started with. */
  readonly input: In;
  /** Names of the steps that have started and not ended. */
  readonly active: readonly string[];
  /** Tags of the workflow and of the start. */
  readonly tags: readonly string[];
  /** Metadata of the workflow, of the start and of the steps, merged in the order of the rows. */
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

/** How one step of an instance ended. */
export interface HistoryEntry {
  /** Name of the step. */
  readonly step: string;
  /** Which running of the step it was, from 1. */
  readonly activation: number;
  /**
   * What it emitted; `"__failed__"` when its attempts are used up, `"__async__"` when it began to
   * wait.
   */
  readonly event: string;
  /** The output that came with the event. */
  readonly output: unknown;
  /** What it added to the instance's metadata. */
  readonly metadata: JsonObject | undefined;
  /** How many attempts it took. */
  readonly attempts: number;
  /** What the failed attempts threw, oldest first. */
  readonly errors: readonly Failure[];
  /** `applied`; `pending` until an advance has read it; `ignored` when it came too late. */
  readonly state: "applied" | "pending" | "ignored";
  /** The revision of the instance that applied it: the order of the story. */
  readonly revision: number | undefined;
  /** When the last attempt began; `undefined` for deliveries and choices. */
  readonly startedAt: Date | undefined;
  /** When the result was recorded. */
  readonly at: Date;
  /** The process that ran it; `undefined` for deliveries. */
  readonly process: string | undefined;
}
