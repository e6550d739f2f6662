import type { Store } from "../../backend/store.ts";
import { emitter } from "../../core/define/emit.ts";
import { eachAt, placeOf } from "../../core/each/items.ts";
import { andThen } from "../../core/value/promise.ts";
import type { Attempt } from "../run/attempt.ts";
import type { Cancellation } from "../run/cancellation.ts";
import { idempotencyKey, read, type ReadOutputs, StepContext } from "../run/context.ts";
import { type ItemList, itemsOfActive } from "./lists.ts";

/** Reads what the code of an item gets: what its step needs, and the list. */
export function readItem(
  store: Pick<Store, "ended" | "endedBetween">,
  attempt: Attempt,
  cancellation: Cancellation,
): ItemStepContext | Promise<ItemStepContext> {
  const { workflow, job, cached, step: item } = attempt;
  const one = eachAt({ step: item.name, activation: job.activation });
  const step = workflow.steps.get(one.step)!;
  // To the outputs and the metadata of the instance it is the step that runs.
  const asStep = { ...attempt, step, job: { ...job, activation: one.activation } };
  return andThen(read(store, asStep), (reading) =>
    andThen(
      itemsOfActive(store, workflow, cached, one, reading.steps),
      (listed) => new ItemStepContext(asStep, attempt, reading, listed, cancellation),
    )) as ItemStepContext | Promise<ItemStepContext>;
}

/** The context that the code of an item receives. */
export class ItemStepContext extends StepContext {
  readonly item: unknown;
  readonly index: number;
  override readonly emit: object;
  override readonly idempotencyKey: string;

  constructor(
    asStep: Attempt,
    { step, job }: Attempt,
    reading: ReadOutputs,
    { list, places }: ItemList,
    cancellation: Cancellation,
  ) {
    super(asStep, reading, cancellation);
    const place = placeOf(job);
    this.index = places === undefined ? place : places[place]!;
    this.item = list[this.index];
    this.emit = emitter(step);
    const { state: { id, control } } = asStep.cached;
    const { keyOf = asStep.job.activation } = control.active.get(asStep.step.name) ?? {};
    this.idempotencyKey = idempotencyKey(id, `${asStep.step.name}[${this.index}]`, keyOf);
  }
}
