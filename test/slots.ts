import { Slots } from "../src/runner/claim/slots.ts";
import { eventually } from "./everywhere.ts";

/** The slots of all workers that run something from now on. */
export function watchSlots(): ReadonlySet<Slots> {
  const watched = new Set<Slots>();
  const { hold } = Slots.prototype;
  Slots.prototype.hold = function () {
    watched.add(this);
    return hold.call(this);
  };
  return watched;
}

/** Waits until every slot is free: for workers that have nothing to do any more. Claims hold some for a moment. */
export async function allFree(watched: ReadonlySet<Slots>): Promise<void> {
  await eventually(
    () =>
      [...watched].every((slots) =>
        [...slots.limits.keys()].every((queue) => slots.taken(queue) === 0)
      ),
    "all slots are free",
  );
}
