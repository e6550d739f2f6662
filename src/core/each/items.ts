import type { Activation } from "../engine/activation.ts";

/** How many items a list may have. */
export const mostItems: number = 2 ** 20;

/** How many activations of one step over a list have numbers for their items. */
export const mostActivations = 2_047;

const itemMark = "[]";

/** The name under which the items of a step run. Names of steps cannot contain `[`. */
export function itemsOf(step: string): string {
  return step + itemMark;
}

/** Whether a name is that of the items of a step. */
export function isItem(name: string): boolean {
  return name.endsWith(itemMark);
}

/** The step whose items have this name. */
export function eachOf(items: string): string {
  return items.slice(0, -itemMark.length);
}

/**
 * The activation of an item: the number of its place in the list, after those of earlier
 * activations of its step.
 */
export function itemAt({ step, activation }: Activation, place: number): Activation {
  return { step: itemsOf(step), activation: (activation - 1) * mostItems + place + 1 };
}

/** The activation of the step that an item belongs to. */
export function eachAt({ step, activation }: Activation): Activation {
  return { step: eachOf(step), activation: Math.floor((activation - 1) / mostItems) + 1 };
}

/** The place of an item among those that its step's activation runs, from 0. */
export function placeOf({ activation }: Pick<Activation, "activation">): number {
  return (activation - 1) % mostItems;
}
