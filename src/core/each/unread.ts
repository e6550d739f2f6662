import { failedEvent } from "../define/step_definition.ts";
import type { Activation } from "../engine/activation.ts";
import type { Control } from "../engine/instance.ts";
import type { StepEnding } from "../engine/progress.ts";
import { oneEnded } from "./counts.ts";
import { eachAt, isItem } from "./items.ts";

/** Whether a result is that of an item of a list that is active in this activation. */
export function isOfActiveList({ active }: Pick<Control, "active">, one: Activation): boolean {
  if (!isItem(one.step)) return false;
  const { step, activation } = eachAt(one);
  return active.get(step)?.activation === activation;
}

/**
 * Counts items whose results were recorded and not applied before their instance failed: an act by
 * hand must not run them again.
 */
export function withEnded(
  control: Control,
  items: readonly Pick<StepEnding, "step" | "activation" | "event">[],
): Control {
  if (items.length === 0) return control;
  const each = new Map(control.each);
  for (const one of items) {
    const list = eachAt(one).step;
    const counts = each.get(list);
    if (counts !== undefined) each.set(list, oneEnded(counts, one.event === failedEvent));
  }
  return { ...control, each };
}
