import type { ItemCounts } from "../each/counts.ts";
import type { Failure } from "../value/failure.ts";
import type { JsonObject } from "../value/json.ts";
import type { Activation } from "./activation.ts";
import type { Control, InstanceStatus } from "./instance.ts";

/** The event that records that an asynchronous step waits for a delivery. */
export const LATER = "__async__";

/** The event of a step that has failed for good. */
export const FAILED = "__failed__";

/** The event of a step that was active when its branch was dropped, or its undoing began. */
export const DROPPED = "__dropped__";

/** The event of the row that records how many items a step over a list has. */
export const ITEMS = "__items__";

/** The event of the row that records that a person has retried an instance. */
export const RETRIED = "__retried__";

/** The event of the row that records that a person has rewound an instance to a step. */
export const REWOUND = "__rewound__";

/** The event of the row that records that an instance was forked from another one. */
export const FORKED = "__forked__";

/**
 * The name in these rows, which no step can have. Of a rewind, the name of the step follows, and
 * the activation is the one that it starts under.
 */
export const byHand = "^";

/** Whether a row records what a person has done to the instance. */
export function isByHand({ step }: Pick<Activation, "step">): boolean {
  return step.startsWith(byHand);
}

/** How a step ended, as the engine sees it. */
export interface StepEnding extends Activation {
  readonly event: string;
  readonly output: unknown;
  readonly metadata: JsonObject | undefined;
  /** The cause, when the event is {@linkcode FAILED}. */
  readonly failure?: Failure | undefined;
  /** How many attempts it took, where it has failed. */
  readonly attempt?: number;
}

/** Why an instance fails: the failure of a step, or the error that a choice threw. */
export interface InstanceFailure {
  readonly step: string;
  readonly failure: Failure | undefined;
  readonly thrown: unknown;
  readonly attempts: number;
}

/** A result that was applied. `decided` marks a choice that the engine ran itself. */
export interface AppliedEnding {
  readonly ending: StepEnding;
  /** The keys of the activations that started the step. */
  readonly causes: readonly string[];
  readonly decided: boolean;
}

/** An activation that was active when its branch was dropped or its instance began to undo. */
export interface Withdrawn extends Activation {
  /** The key of the activation whose end dropped it; `""` when the instance was cancelled. */
  readonly cause: string;
}

/** A result that was applied, as the history has it. */
export interface PastEnding extends Activation {
  readonly event: string;
  /** The keys of the activations that started the step. */
  readonly causes: readonly string[];
}

/** A step over a list whose items have ended, and with which event it does. */
export interface EachEnd {
  readonly event: string;
  readonly counts: ItemCounts;
}

/** A step over a list that has begun. */
export interface ListedItems extends Activation {
  /** The number of its items. */
  readonly total: number;
}

/**
 * Runs the code of a choice. `ended` holds the results of this turn, which are not stored yet.
 * Where it returns `undefined`, the choice stays active.
 *
 * A step over a list is asked for twice: when it starts, for the number of its items as output, and
 * with `end` when they have ended, for its result.
 */
export type Decide = (
  choice: Activation,
  ended: ReadonlyMap<string, StepEnding>,
  end?: EachEnd,
) => Omit<StepEnding, "step" | "activation"> | undefined;

/** A result that will not be read. `waits` marks one that only says that its step waits. */
export interface Ignored extends Activation {
  readonly waits: boolean;
}

/** The effect of a turn on an instance. */
export interface Progress {
  readonly control: Control;
  readonly status: InstanceStatus;
  /** In the order in which they were applied. */
  readonly applied: readonly AppliedEnding[];
  /** Results that arrived before their wait and are kept. */
  readonly kept: readonly StepEnding[];
  /** Results and kept deliveries that will not be read. */
  readonly ignored: readonly Ignored[];
  /** Steps that have started and are still active at the end of the turn. */
  readonly started: readonly Activation[];
  /** Asynchronous steps that began to wait and still do. */
  readonly waiting: readonly Activation[];
  /** Steps over lists that have begun. */
  readonly listed: readonly ListedItems[];
  /** Steps that were active when their branch was dropped or the instance began to undo. */
  readonly withdrawn: readonly Withdrawn[];
  /** Waits that were open before the turn and have ended. */
  readonly resolved: readonly Activation[];
  /**
   * A kept delivery has met its wait but was not among the given results: an advance must read it.
   */
  readonly wake: boolean;
  /** Why the instance has failed, or undoes before it fails. */
  readonly failed: InstanceFailure | undefined;
}
