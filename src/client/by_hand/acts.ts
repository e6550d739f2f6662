import type { Reopened, Store } from "../../backend/store.ts";
import type { Turn } from "../../backend/turn.ts";
import type { HistoryEntry, Instance } from "../../core/engine/instance.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { encode } from "../../core/value/json.ts";
import type { Act } from "../../runner/by_hand/acting.ts";
import type { Placement } from "../../runner/turn/new_jobs.ts";
import type { Client } from "../client.ts";
import { definitionOf, type InTransaction } from "../deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "../find.ts";

/** The options of a retry. The history shows `by` and `reason`. */
export interface RetryOptions extends InTransaction {
  /** Who asked for it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
}

/** An instance that a person does something to, with its code and places for its jobs. */
export interface ActedOn {
  readonly instance: Instance;
  readonly workflow: Workflow;
  /** Gives the reserved ids, from the first one on. */
  readonly place: () => Placement;
}

/** Finds an instance and its code. Throws when this process has another graph. */
export async function actedOn(
  { runtime }: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  action: string,
  { tx }: InTransaction,
): Promise<ActedOn> {
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, action, tx);
  const workflow = definitionOf(runtime, target, instance);
  const [known] = await store.read([instance.id]);
  if (known?.graph !== undefined && known.graph !== workflow.fingerprint) {
    throw await runtime.graphs.refusal(workflow, known.graph, action);
  }
  const ids = await runtime.ids.take(mostJobs(workflow));
  const place = () => {
    let next = 0;
    return { id: () => ids[next++] ?? "", begins: () => false };
  };
  return { instance, workflow, place };
}

/**
 * How many jobs one turn can start at most: one for each step, or for each item that runs at once,
 * and one for the deadline of the instance.
 */
function mostJobs({ graph }: Workflow): number {
  let most = 1;
  for (const { items } of graph.steps.values()) most += items?.limit ?? 1;
  return most;
}

/** Who and why, if they can be stored. */
export function actOf(action: string, { by, reason }: RetryOptions): Act {
  for (const [name, value] of Object.entries({ by, reason })) {
    if (value === undefined || typeof value === "string") continue;
    throw new TypeError(`Cannot ${action}: the option ${name} is not a string`);
  }
  encode({ by, reason }, { what: `options of a ${action}`, limit: 10_000 });
  return { by, reason };
}

/** Whether a history has the row of an act that was computed before: its answer was lost. */
export function isIn(
  history: readonly HistoryEntry[],
  { revision, recorded }: Pick<Turn, "revision" | "recorded">,
): HistoryEntry | undefined {
  const { step = "", activation, output = "null" } = recorded[0]?.result ?? {};
  return history.find((entry) =>
    entry.step === step && entry.activation === activation && entry.revision === revision + 1 &&
    JSON.stringify(entry.output) === JSON.stringify(JSON.parse(output))
  );
}

/** When the same act was written by an earlier attempt whose answer was lost. */
export async function writtenAt(
  store: Pick<Store, "history">,
  { id }: Instance,
  reopened: Reopened,
  turn: Turn | undefined,
): Promise<Date | undefined> {
  if (reopened.kind === "written") return reopened.at;
  return turn && isIn(await store.history(id), turn)?.at;
}

/** Tells the workers of this process about new jobs. */
export function expectJobs(
  { workers }: Client,
  { started, wake }: Pick<Turn, "started"> & Partial<Pick<Turn, "wake">>,
): void {
  for (const worker of workers) {
    for (const { queue, delay } of started) worker.expect(queue, delay);
    if (wake !== undefined) worker.wake([wake.queue]);
  }
}
