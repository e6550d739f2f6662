import type { StoreTransaction } from "../../backend/store.ts";
import type { Recording } from "../../backend/turn.ts";
import { isItem } from "../../core/each/items.ts";
import type { FailureForm } from "../../core/value/failure.ts";
import type { SlotHold } from "../claim/slots.ts";
import { hasEnded } from "../each/load.ts";
import { leaseOf, type OwnedJob } from "../host.ts";
import { emitDiscard } from "../observe.ts";
import type { LocalResult } from "../run/outcome.ts";
import type { Runtime } from "../runtime.ts";
import { afterCommit, type CommitContext } from "./after_commit.ts";
import { handOver } from "./hand_over.ts";
import { planOrLoad, wakeOf } from "./plan.ts";

const mostTries = 3;

/** How a single result is written. */
export interface AloneOptions {
  /** Holds the slots of the jobs that begin until the turn is written. */
  readonly slots: SlotHold;
  /** Leave the result to an advance. Default: only when the instance changes too often. */
  readonly recordOnly?: boolean;
  /** How much of a failure is written. Default: all of it. */
  readonly form?: FailureForm;
}

/**
 * Writes one result in its own statement or in an open transaction. Returns a callback that updates
 * this process after the commit; `undefined` if the step was ended elsewhere first.
 */
export async function commitAlone(
  context: CommitContext,
  on: Pick<StoreTransaction, "commit" | "record">,
  job: OwnedJob,
  result: LocalResult,
  { slots, recordOnly = false, form = "whole" }: AloneOptions,
): Promise<(() => void) | undefined> {
  const { runtime, host, instances } = context;
  for (let tries = 0; tries < mostTries && !recordOnly; tries++) {
    if (tries > 0) await instances.refresh([job.instance]);
    await instances.load([job.instance]);
    const submissions = [{ job, result, tries }];
    const plan = await planOrLoad(runtime, instances.get(job.instance), submissions, []) ??
      await planOrLoad(runtime, await instances.fresh(job.instance), submissions, []);
    if (plan === undefined) return undefined;
    const [turn] = await handOver(runtime, host, slots, [plan], form);
    // The process may have registered again meanwhile. Jobs that began under the dead id must not
    // be written under the new one.
    const committed = await on.commit(job.process, [turn!]).catch(async (error) => {
      // An item looks active after it has ended. The key of its result has refused another one.
      if (!isItem(job.step ?? "")) throw error;
      if (await hasEnded(runtime.backend.store, job)) return undefined;
      throw error;
    });
    if (committed === undefined) return undefined;
    const at = committed.get(job.instance);
    if (at !== undefined) {
      return () => afterCommit(context, plan, turn!, slots, job.process, at);
    }
    slots.release();
  }
  const standing = await on.record([recording(runtime, job, result)]);
  if (!standing.has(job.id)) return undefined;
  return () => {
    if (result.failure === undefined) host.stopped(job);
    else emitDiscard(runtime.telemetry, job, result.failure);
  };
}

/** The record of a result that is left to an advance. */
export function recording(
  runtime: Runtime,
  job: OwnedJob,
  { result }: Pick<LocalResult, "result">,
): Recording {
  const workflow = runtime.registry.get(job.workflow, job.version);
  return {
    ...result,
    instance: job.instance,
    version: job.version,
    lease: leaseOf(job),
    wake: wakeOf(runtime, workflow),
  };
}
