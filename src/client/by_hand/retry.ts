import type { Reopened } from "../../backend/store.ts";
import type { Retried } from "../../core/engine/by_hand/fold.ts";
import { type Instance, isFinal } from "../../core/engine/instance.ts";
import { notRetryable } from "../../core/errors/by_hand.ts";
import type { HephaestusError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { checkNames } from "../../core/value/option_names.ts";
import type { PlannedAct } from "../../runner/by_hand/acting.ts";
import { retrying } from "../../runner/by_hand/retrying.ts";
import { aboutInstance, emitEnd, emitProgress } from "../../runner/observe.ts";
import { type Client, notFound } from "../client.ts";
import type { AnyWorkflow, InstanceTarget } from "../find.ts";
import { actedOn, actOf, expectJobs, type RetryOptions, writtenAt } from "./acts.ts";

/** Goes on with an instance that has failed, from the steps that have failed. */
export async function retry(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: RetryOptions,
): Promise<void> {
  checkNames("retry", options, { by: true, reason: true, tx: true });
  const act = actOf("retry", options);
  const { tx } = options;
  const { runtime } = client;
  const { store } = runtime.backend;
  const { instance, workflow, place } = await actedOn(client, target, who, "retry", options);
  let computed: PlannedAct | undefined;
  const reopened = await store.reopen(instance.id, (state, history) => {
    if (state.status !== "failed") return undefined;
    computed = retrying(runtime, workflow, state, history, act, place());
    return computed.reopening;
  }, tx);
  const at = await writtenAt(store, instance, reopened, computed?.reopening.turn);
  if (at === undefined || computed === undefined) throw refusal(instance, reopened);
  // The caller's transaction is still open and may never commit.
  if (tx === undefined) report(client, instance, workflow, computed, at);
}

function refusal(instance: Instance, reopened: Reopened): HephaestusError {
  if (reopened.kind === "taken") return notRetryable(instance, takenBy(reopened));
  const status = reopened.kind === "kept" ? reopened.status : undefined;
  if (status === undefined) return notFound(instance, "retry");
  const why = `instance is ${status}, and only an instance that has failed can be retried`;
  return notRetryable(instance, why);
}

/** Why an instance cannot become active, or begin with a key. */
export function takenBy({ by }: { readonly by: string | undefined }, what = "its key"): string {
  const other = by === undefined ? "another instance" : `instance "${by}"`;
  return `${what} is taken by ${other}, which is active`;
}

function report(
  client: Client,
  instance: Instance,
  workflow: Workflow,
  computed: PlannedAct & { readonly row: Retried },
  at: Date,
): void {
  const { telemetry } = client.runtime;
  if (telemetry.has("workflow:retry")) {
    telemetry.emit("workflow:retry", { ...aboutInstance(instance), ...computed.row });
  }
  reportAct(client, instance, workflow, computed, at);
}

/** Tells this process what an act has written. */
export function reportAct(
  client: Client,
  instance: Instance,
  workflow: Workflow,
  { progress, reopening: { turn } }: Pick<PlannedAct, "progress" | "reopening">,
  at: Date,
): void {
  const { runtime: { telemetry }, waiters } = client;
  expectJobs(client, turn);
  emitProgress(telemetry, instance, workflow, progress);
  if (!isFinal(turn.status)) return;
  waiters.notify(instance.id);
  emitEnd(telemetry, instance, { status: turn.status, error: undefined, at });
}
