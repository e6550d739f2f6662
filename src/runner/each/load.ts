import type { InstanceState, Store } from "../../backend/store.ts";
import type { Job } from "../../backend/job.ts";
import { eachOf, isItem } from "../../core/each/items.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { isRunning } from "../host.ts";
import type { ItemRows } from "./decide.ts";
import { numbersOf } from "./outcomes.ts";

/** Loads the items of active steps that have ended, by their name. */
export async function loadItems(
  store: Pick<Store, "endedBetween">,
  { id, control }: Pick<InstanceState, "id" | "control">,
  names: readonly string[],
  before: ItemRows = new Map(),
): Promise<ItemRows> {
  const all = new Map(before);
  for (const name of names.filter(isItem)) {
    const step = eachOf(name);
    const active = control.active.get(step);
    if (active === undefined) continue;
    const numbers = numbersOf({ step, activation: active.activation }, active.keyOf);
    all.set(name, await store.endedBetween(id, ...numbers));
  }
  return all;
}

/**
 * Whether the step of a job has not ended. The control does not know which items have ended: their
 * results do. Read them after the instance: what a turn in between adds, the revision refuses.
 */
export async function isStillOpen(
  store: Pick<Store, "ended">,
  state: InstanceState | undefined,
  job: Pick<Job, "step" | "activation">,
): Promise<boolean> {
  if (state === undefined || !isRunning(state, job)) return false;
  return !isItem(job.step ?? "") || !(await hasEnded(store, { ...job, instance: state.id }));
}

/** Whether the step of a job has a result that was applied. */
export async function hasEnded(
  store: Pick<Store, "ended">,
  { instance, step = "", activation }: Pick<Job, "instance" | "step" | "activation">,
): Promise<boolean> {
  return (await store.ended(instance, [{ step, activation }])).length > 0;
}

/** What is asked of a submission. */
interface Submitted {
  readonly job: Pick<Job, "instance">;
  readonly result: Activation | undefined;
  readonly tries: number;
}

/**
 * The submissions whose items have not ended. After a turn whose answer was lost, an item still
 * looks active.
 */
export async function stillOpen<S extends Submitted>(
  store: Pick<Store, "ended">,
  group: readonly S[],
): Promise<readonly S[]> {
  const again = group.filter(({ result, tries }) => tries > 0 && isItem(result?.step ?? ""));
  if (again.length === 0) return group;
  const items = again.map(({ result }) => result!);
  const ended = await store.ended(again[0]!.job.instance, items);
  if (ended.length === 0) return group;
  const keys = new Set(ended.map(activationKey));
  return group.filter(({ result }) => result === undefined || !keys.has(activationKey(result)));
}
