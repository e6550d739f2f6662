import { isItem } from "../each/items.ts";
import type { Graph } from "../graph/graph.ts";
import { filtered } from "../value/filtered.ts";
import { type Activation, activationKey } from "./activation.ts";
import { keptIn } from "./cancel.ts";
import { isActive, isOverdue } from "./control.ts";
import type { ControlDraft } from "./draft.ts";
import { type Control, type InstanceStatus, isFinal } from "./instance.ts";
import {
  type AppliedEnding,
  type Ignored,
  type InstanceFailure,
  LATER,
  type ListedItems,
  type Progress,
  type StepEnding,
  type Withdrawn,
} from "./progress.ts";

const none: readonly never[] = [];

/** How a turn has ended. */
export interface TurnEnd {
  readonly graph: Graph;
  readonly before: Control;
  readonly draft: ControlDraft;
  readonly status: InstanceStatus;
  readonly failed: InstanceFailure | undefined;
  /** Results that were not applied although their steps were active. */
  readonly left: readonly StepEnding[];
}

/** What happens in one turn of one instance. */
export class TurnLog {
  /** Results whose step is not active yet. */
  #unread: Map<string, StepEnding> | undefined;
  readonly ready: StepEnding[] = [];
  readonly applied: AppliedEnding[] = [];
  readonly started: Activation[] = [];
  readonly waiting: Activation[] = [];
  readonly withdrawn: Withdrawn[] = [];
  readonly listed: ListedItems[] = [];
  /**
   * Results that came too late: the activation has already ended or was dropped, or a delivery had
   * already ended the wait that an asynchronous step reports.
   */
  readonly late: StepEnding[] = [];
  /** Deliveries that were kept for what will not start any more. */
  readonly #overdue: Ignored[] = [];

  /** The results of this turn, by step; those of items by the key of their activation. */
  ended(): ReadonlyMap<string, StepEnding> {
    return new Map(
      this.applied.map(({ ending }) =>
        [isItem(ending.step) ? activationKey(ending) : ending.step, ending] as const
      ),
    );
  }

  /** Keeps a result until its step is active. */
  keep(ending: StepEnding): void {
    this.#unread ??= new Map();
    this.#unread.set(activationKey(ending), ending);
  }

  /** Makes the result of a step ready that has started. */
  start(one: Activation): void {
    this.started.push(one);
    const unread = this.#unread?.get(activationKey(one));
    if (unread === undefined) return;
    this.#unread?.delete(activationKey(one));
    this.ready.push(unread);
  }

  /** Gives up a kept delivery, unless it is among the results of this turn. */
  giveUp(one: Activation): void {
    const key = activationKey(one);
    const given = this.#unread?.has(key) ||
      this.ready.some((ending) => activationKey(ending) === key);
    if (!given) this.#overdue.push({ ...one, waits: false });
  }

  /** The outcome of the turn. */
  progress({ graph, before, draft, status, failed, left }: TurnEnd): Progress {
    const over = isFinal(status);
    const unread = this.#unread === undefined ? left : [...this.#unread.values(), ...left];
    const isKept = (ending: StepEnding) =>
      !over && graph.steps.has(ending.step) &&
      (isActive(draft, ending) || !isOverdue(graph, draft, ending));
    const kept = filtered(unread, isKept);
    for (const ending of kept) draft.keep(ending);
    if (!over) draft.forget(graph);
    const stillActive = (one: Activation) => !over && isActive(draft, one);
    const started = filtered(this.started, stillActive);
    return {
      control: over ? draft.over() : draft.done(),
      status,
      applied: this.applied,
      kept,
      ignored: this.#ignored(filtered(unread, (ending) => !isKept(ending)), draft, over),
      started,
      waiting: filtered(this.waiting, stillActive),
      listed: this.listed,
      withdrawn: this.withdrawn,
      resolved: this.#resolved(graph, before, draft),
      wake: started.some((one) => draft.isEarly(one)),
      failed,
    };
  }

  #ignored(
    unread: readonly StepEnding[],
    draft: ControlDraft,
    over: boolean,
  ): readonly Ignored[] {
    const late = this.late.length + this.#overdue.length;
    if (unread.length + late === 0 && !over) return none;
    const forgotten = over
      ? keptIn(draft.done()).filter((one) => !this.#unread?.has(activationKey(one)))
      : none;
    return [...[...unread, ...this.late].map(ignored), ...this.#overdue, ...forgotten];
  }

  /** Waits that were open before this turn and have ended in it. */
  #resolved(graph: Graph, before: Control, draft: ControlDraft): readonly Activation[] {
    const isResolved = ({ ending }: AppliedEnding) => {
      const step = graph.steps.get(ending.step);
      const isWaiting = step?.kind === "signal" || step?.asynchronous === true;
      return ending.event !== LATER && isWaiting && isActive(before, ending) &&
        !isActive(draft, ending);
    };
    return filtered(this.applied, isResolved).map(({ ending }) => ending);
  }
}

function ignored({ step, activation, event }: StepEnding): Ignored {
  return { step, activation, waits: event === LATER };
}
