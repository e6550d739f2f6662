import type { Activation } from "./activation.ts";
import type { JsonObject } from "../value/json.ts";
import type { Failure } from "../value/failure.ts";
import type { Control, InstanceStatus } from "./instance.ts";
/** The event under which an asynchronous step says that it waits for a delivery. */
export const LATER = "__async__";

/** The event of a step whose attempts are used up. */
export const FAILED = "__failed__";

/** How a step ended, as the engine sees it. */
export interface StepEnding extends Activation {
  readonly event: string;
  readonly output: unknown;
  readonly metadata: JsonObject | undefined;
  /** Why, where the event is {@linkcode FAILED}. */
  readonly failure?: Failure | undefined;
}

/** Why an instance fails: the failure of a step, or what a choice has thrown. */
export interface InstanceFailure {
  readonly step: string;
  readonly failure: Failure | undefined;
  readonly thrown: unknown;
}

/** An ending that was applied. `decided` marks a choice, which the engine itself has asked. */
export interface AppliedEnding {
  readonly ending: StepEnding;
  /** What had started the step, as keys of activations. */
  readonly causes: readonly string[];
  readonly decided: boolean;
}

/** Runs the code of a choice. `ended` gives the endings of this turn, which no store has yet. */
export type Decide = (
  choice: Activation,
  ended: ReadonlyMap<string, StepEnding>,
) => Pick<StepEnding, "event" | "output" | "metadata">;

/** A result that nobody will read; `waits` where it only says that its step waits. */
export interface Ignored extends Activation {
  readonly waits: boolean;
}

/** What a turn does to an instance. */
export interface Progress {
  readonly control: Control;
  readonly status: InstanceStatus;
  /** In the order in which they were applied. */
  readonly applied: readonly AppliedEnding[];
  /** Endings that came before their wait and are kept. */
  readonly kept: readonly StepEnding[];
  /** Endings and kept deliveries that nobody will read. */
  readonly ignored: readonly Ignored[];
  /** Steps that have started and are still active at the end of the turn. */
  readonly started: readonly Activation[];
  /** Asynchronous steps that began to wait and still do. */
  readonly waiting: readonly Activation[];
  /** Waits that were open before the turn and have ended. */
  readonly resolved: readonly Activation[];
  /** A kept delivery has met its wait, but was not among the endings: an advance must read it. */
  readonly wake: boolean;
  /** Why the instance has failed. */
  readonly failed: InstanceFailure | undefined;
}
