import type { Store } from "../../backend/store.ts";
import { type Activation, activationKey, isUndo } from "../../core/engine/activation.ts";
import { fold, type Forked, type Retried } from "../../core/engine/by_hand/fold.ts";
import type { HistoryEntry } from "../../core/engine/instance.ts";
import { FORKED, isByHand } from "../../core/engine/progress.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { idempotencyKey } from "../run/context.ts";

/** A result that counts: with the revision of the instance that applied it. */
type Applied = HistoryEntry & { readonly revision: number };

/**
 * The idempotency key that an activation has had which has ended, in an instance to which a person
 * has done something. It may be the key of an activation before it, or be of another instance.
 */
export async function keyOfEnded(
  store: Pick<Store, "history" | "read">,
  of: Pick<Workflow, "graph" | "fingerprint">,
  instance: string,
  one: Activation,
): Promise<string> {
  const { step, activation } = one;
  const history = (await store.history(instance)).filter(isApplied);
  const acts = history.filter((entry) => isByHand(entry) && !startsUndos(entry));
  const key = activationKey(one);
  const ended = history.find((entry) => activationKey(entry) === key);
  const fork = acts.find(({ event }) => event === FORKED);
  if (fork !== undefined && ended !== undefined && ended.revision < fork.revision) {
    const { id } = (fork.output as Forked).from;
    const [source] = await store.read([id]);
    // Of an instance that was deleted, nobody knows whether the step was retried.
    const isKnown = source?.graph === of.fingerprint;
    return isKnown ? keyOfEnded(store, of, id, one) : idempotencyKey(id, step, activation);
  }
  const last = acts.at(-1)?.revision ?? 0;
  const before = history.filter(({ revision }) => revision <= last);
  const keyOf = last === 0 ? undefined : fold(of.graph, before).keys.get(key);
  return idempotencyKey(instance, step, keyOf ?? activation);
}

function isApplied(entry: HistoryEntry): entry is Applied {
  return entry.revision !== undefined;
}

/** Undos that start again have the keys that they had. */
function startsUndos({ output }: HistoryEntry): boolean {
  return (output as Retried).restarted.some(isUndo);
}
