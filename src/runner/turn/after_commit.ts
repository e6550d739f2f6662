import { deadlineStep } from "../../backend/job.ts";
import type { InstanceState } from "../../backend/store.ts";
import type { Turn } from "../../backend/turn.ts";
import { stepOf } from "../../core/engine/activation.ts";
import { type EndedInstance, isFinal } from "../../core/engine/instance.ts";
import { FAILED, LATER } from "../../core/engine/progress.ts";
import { isEachEnd } from "../each/outcomes.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Failure } from "../../core/value/failure.ts";
import type { SlotHold } from "../claim/slots.ts";
import type { Host } from "../host.ts";
import { logFailure, observe } from "../observe.ts";
import type { Runtime } from "../runtime.ts";
import { begun, delayOf } from "./hand_over.ts";
import type { InstanceCache } from "./instance_cache.ts";
import type { Plan } from "./plan.ts";

/** What updating a process after a commit needs. */
export interface CommitContext {
  readonly runtime: Runtime;
  readonly host: Host;
  readonly instances: InstanceCache;
}

/**
 * Updates this process after a turn was committed under its id `process`, at a time from the
 * store's clock: the cached instance, the jobs that begin here, and listeners and waiting callers.
 */
export function afterCommit(
  { runtime, host, instances }: CommitContext,
  plan: Plan,
  turn: Turn,
  slots: SlotHold,
  process: string,
  at: Date,
): void {
  const { next, progress, outputs, workflow, included } = plan;
  // Must come first: a job that begins may reuse the row of one that ended.
  for (const { job, result } of included) if (result?.event !== FAILED) host.stopped(job);
  instances.set(next);
  for (const { ending } of progress.applied) {
    if (ending.event === LATER || !workflow.graph.isRead(ending.step)) continue;
    // The outcomes of items are read where somebody needs them.
    if (ending.output !== undefined || !isEachEnd(workflow.graph, ending)) outputs.set(ending);
  }
  for (const { job } of included) slots.takeOver(job.slot);
  const { reused } = turn;
  if (reused) {
    // The commit raised the row's token by one, which fences off the job that was in the row
    // before.
    const token = included[0]!.job.token + 1;
    host.begin(begun(reused, process, slots.handOver(reused.queue), at, token));
  }
  for (const job of turn.started) {
    if (job.owned) host.begin(begun(job, process, slots.handOver(job.queue), at));
    else host.expect(job.queue, delayOf(job, at));
  }
  if (turn.wake) host.expect(turn.wake.queue, 0);
  for (const { queue } of turn.others ?? []) host.expect(queue, 0);
  for (const one of progress.withdrawn) {
    const sentence = next.control.undo === undefined
      ? `Step "${one.step}" was dropped by "${stepOf(one.cause)}"`
      : `Step "${one.step}" was withdrawn: the instance undoes what its steps have done`;
    host.abort(next.id, new HephaestusError("CANCELLED", sentence), one);
  }
  const error: Failure | undefined = turn.error === undefined ? undefined : JSON.parse(turn.error);
  observe(runtime.telemetry, plan, error ?? before(next), at);
  if (progress.failed && error) {
    const { step, attempts } = progress.failed;
    logFailure(runtime.logger, next, { step, attempts, error });
  }
  if (isFinal(next.status)) end(host, plan, error, at);
}

/** The failure before the undoing that has ended. The instance has the whole of it. */
function before({ status, control: { undo } }: InstanceState): Failure | undefined {
  if (status !== "failed" || undo?.message === undefined) return undefined;
  return { name: "Error", message: undo.message };
}

function end(
  host: Host,
  { next, progress: { failed }, outputs }: Plan,
  error: Failure | undefined,
  at: Date,
): void {
  if (failed && error) {
    const sentence = failed.step === deadlineStep
      ? error.message
      : `The instance failed in step "${failed.step}"`;
    host.abort(next.id, new HephaestusError("CANCELLED", sentence));
  }
  // Of an instance that has undone, only its row has the error.
  if (next.control.undo !== undefined) return host.finished(next.id);
  const returned = next.status === "completed" ? next.control.returned : undefined;
  if (returned === undefined) return host.finished(next.id, finalInstance(next, error, at));
  const ended = outputs.get(returned);
  // An output of an earlier turn may not be known here. The row is read then.
  if (ended === undefined) return host.finished(next.id);
  const { outcome } = returned;
  host.finished(next.id, { ...finalInstance(next, error, at), outcome, output: ended.output });
}

/** The instance as a read of its row would return it. */
function finalInstance(next: InstanceState, error: Failure | undefined, at: Date): EndedInstance {
  return {
    id: next.id,
    key: next.key,
    workflow: next.workflow,
    version: next.version,
    status: next.status,
    input: next.input,
    active: [],
    tags: next.tags,
    metadata: next.metadata,
    error,
    revision: next.revision,
    insertedAt: next.insertedAt,
    updatedAt: at,
    finishedAt: at,
  };
}
