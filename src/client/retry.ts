import type { Reopened, Store } from "../backend/store.ts";
import { type HistoryEntry, type Instance, isFinal } from "../core/engine/instance.ts";
import { byHand } from "../core/engine/progress.ts";
import { notRetryable } from "../core/errors/by_hand.ts";
import type { HephaestusError } from "../core/errors/errors.ts";
import type { Workflow } from "../core/graph/workflow.ts";
import { encode } from "../core/value/json.ts";
import { checkNames } from "../core/value/option_names.ts";
import { aboutInstance, emitEnd, emitProgress } from "../runner/observe.ts";
import { type Act, type PlannedRetry, retrying } from "../runner/by_hand/retrying.ts";
import { type Client, notFound } from "./client.ts";
import { definitionOf, type InTransaction } from "./deliver.ts";
import { type AnyWorkflow, findOrThrow, type InstanceTarget } from "./find.ts";

/** The options of a retry. The history shows `by` and `reason`. */
export interface RetryOptions extends InTransaction {
  /** Who asked for it. */
  readonly by?: string | undefined;
  /** Why. */
  readonly reason?: string | undefined;
}

/** Goes on with an instance that has failed, from the steps that have failed. */
export async function retry(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: RetryOptions,
): Promise<void> {
  checkNames("retry", options, { by: true, reason: true, tx: true });
  const act = actOf(options);
  const { tx } = options;
  const { runtime } = client;
  const { store } = runtime.backend;
  const instance = await findOrThrow(store, target, who, "retry", tx);
  const workflow = definitionOf(runtime, target, instance);
  const [known] = await store.read([instance.id]);
  if (known?.graph !== undefined && known.graph !== workflow.fingerprint) {
    throw await runtime.graphs.refusal(workflow, known.graph, "retry");
  }
  const ids = await runtime.ids.take(workflow.graph.steps.size);
  let computed: PlannedRetry | undefined;
  const reopened = await store.reopen(instance.id, (state, history) => {
    if (state.status !== "failed") return undefined;
    let next = 0;
    const place = { id: () => ids[next++] ?? "", begins: () => false };
    computed = retrying(runtime, workflow, state, history, act, place);
    return computed.reopening;
  }, tx);
  const at = reopened.kind === "written" ? reopened.at : await writtenAt(store, instance, computed);
  if (at === undefined || computed === undefined) throw refusal(instance, reopened);
  // The caller's transaction is still open and may never commit.
  if (tx === undefined) report(client, instance, workflow, act, computed, at);
}

/** Who and why, if they can be stored. */
function actOf({ by, reason }: RetryOptions): Act {
  for (const [name, value] of Object.entries({ by, reason })) {
    if (value === undefined || typeof value === "string") continue;
    throw new TypeError(`Cannot retry: the option ${name} is not a string`);
  }
  encode({ by, reason }, { what: "options of a retry", limit: 10_000 });
  return { by, reason };
}

/** When the same retry was written by an earlier attempt whose answer was lost. */
async function writtenAt(
  store: Pick<Store, "history">,
  { id }: Instance,
  computed: PlannedRetry | undefined,
): Promise<Date | undefined> {
  if (computed === undefined) return undefined;
  const { revision, recorded } = computed.reopening.turn;
  const output = recorded[0]?.result.output;
  const isOurs = (entry: HistoryEntry) =>
    entry.step === byHand && entry.revision === revision + 1 &&
    JSON.stringify(entry.output) === JSON.stringify(JSON.parse(output ?? "null"));
  return (await store.history(id)).find(isOurs)?.at;
}

function refusal(instance: Instance, reopened: Reopened): HephaestusError {
  if (reopened.kind === "taken") {
    const by = reopened.by === undefined ? "another instance" : `instance "${reopened.by}"`;
    return notRetryable(instance, `its key is taken by ${by}, which is active`);
  }
  const status = reopened.kind === "kept" ? reopened.status : undefined;
  if (status === undefined) return notFound(instance, "retry");
  const why = `instance is ${status}, and only an instance that has failed can be retried`;
  return notRetryable(instance, why);
}

function report(
  { runtime, waiters, workers }: Client,
  instance: Instance,
  workflow: Workflow,
  act: Act,
  { progress, restarted, reopening: { turn } }: PlannedRetry,
  at: Date,
): void {
  for (const worker of workers) {
    for (const { queue, delay } of turn.started) worker.expect(queue, delay);
    if (turn.wake !== undefined) worker.wake([turn.wake.queue]);
  }
  if (runtime.telemetry.has("workflow:retry")) {
    runtime.telemetry.emit("workflow:retry", { ...aboutInstance(instance), ...act, restarted });
  }
  emitProgress(runtime.telemetry, instance, workflow, progress);
  if (!isFinal(turn.status)) return;
  waiters.notify(instance.id);
  emitEnd(runtime.telemetry, instance, { status: turn.status, error: undefined, at });
}
