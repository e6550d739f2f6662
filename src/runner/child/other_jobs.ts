import { withdrawnStep } from "../../backend/job.ts";
import type { Turn } from "../../backend/turn.ts";
import { childEnding } from "../../core/child/ending.ts";
import { isFinal } from "../../core/engine/instance.ts";
import { HephaestusError, RetryLaterError } from "../../core/errors/errors.ts";
import { stepIn } from "../../core/graph/workflow.ts";
import { failure } from "../../core/value/failure.ts";
import { encode } from "../../core/value/json.ts";
import { cancelling } from "../by_hand/cancelling.ts";
import { isRunning, type OwnedJob, passOf } from "../host.ts";
import { emitDiscard, emitEnd, emitUndo } from "../observe.ts";
import { failedResult } from "../run/outcome.ts";
import type { WorkerContext } from "../run/worker_context.ts";
import type { OtherArguments } from "./others.ts";

/** What a job says that another instance has inserted; `undefined` for all other jobs. */
export function otherArguments({ step, args }: OwnedJob): OtherArguments | undefined {
  const said = args as OtherArguments | undefined;
  return step === withdrawnStep || said?.child !== undefined ? said : undefined;
}

/** Does what another instance has asked for. */
export async function runOther(
  workers: WorkerContext,
  job: OwnedJob,
  args: OtherArguments,
): Promise<void> {
  if (args.child === undefined) await withdraw(workers, job, args);
  else await endStep(workers, job, args.child);
}

/**
 * Ends the step whose child has ended. What the child has returned is read now: it may have been
 * retried since, and then it will say so again, or deleted.
 */
async function endStep(workers: WorkerContext, job: OwnedJob, id: string): Promise<void> {
  const { runtime, host, instances, recorder } = workers;
  const { backend: { store }, registry, telemetry } = runtime;
  const state = (await instances.refresh([job.instance])).get(job.instance);
  const [child] = await store.list({ ids: [id], limit: 1, withOutputs: true });
  const isOpen = state !== undefined && isRunning(state, job) && state.control.later.has(job.step!);
  if (!isOpen || (child !== undefined && !isFinal(child.status))) {
    await store.pass([passOf(job)]);
    return host.done(job);
  }
  if (state.version !== job.version) throw moved(state.version);
  const workflow = registry.get(job.workflow, job.version);
  const { name, events, deadline } = stepIn(workflow, job.step ?? "")!;
  const limited = deadline !== undefined;
  const ending = childEnding(child, { step: name, id, events, limited });
  if ("error" in ending) {
    const why = failure(ending.error);
    const { result } = failedResult(workflow, { ...job, errors: [], attempt: 1 }, why, undefined);
    return recorder.submit(job, result, (kept) => kept && emitDiscard(telemetry, job, why));
  }
  const { event, output } = ending;
  const what = `output of child "${name}"`;
  recorder.submit(job, {
    step: name,
    activation: job.activation,
    waits: false,
    event,
    output: output === undefined ? undefined : encode(output, { what, limit: Infinity }),
    metadata: undefined,
    attempt: 1,
    errors: undefined,
    duration: undefined,
  });
}

/** A move of the parent and the end of its child may miss each other. The doctor repairs that. */
function moved(version: number): RetryLaterError {
  return new RetryLaterError({ after: "1m", reason: `the instance has version ${version} now` });
}

/** Cancels a child whose step was withdrawn, unless it is detached or has ended. */
async function withdraw(
  { runtime, host }: WorkerContext,
  job: OwnedJob,
  { delivery, step }: OtherArguments,
): Promise<void> {
  const { backend: { store }, telemetry } = runtime;
  const why = new HephaestusError(
    "CANCELLED",
    `The instance was cancelled: step "${step}" of ${delivery}, which had started it, was withdrawn`,
  );
  let turn: Turn | undefined;
  const ended = await store.commitLocked(job.instance, (state) => {
    const { parent, undo } = state.control;
    const goesOn = isFinal(state.status) || undo !== undefined || parent?.detached !== false;
    turn = goesOn ? undefined : cancelling(runtime, state, failure(why));
    return turn && (turn = { ...turn, settled: [job.id] });
  });
  if (ended.kind === "kept" || turn === undefined) {
    await store.pass([passOf(job)]);
  } else if (isFinal(turn.status)) {
    host.abort(job.instance, why);
    host.finished(job.instance);
    const [child] = await store.list({ ids: [job.instance], limit: 1 });
    if (child) emitEnd(telemetry, child, { status: "cancelled", error: undefined, at: ended.at });
  } else {
    for (const one of turn.resolved) host.abort(job.instance, why, one);
    if (turn.wake !== undefined) host.expect(turn.wake.queue, 0);
    const [child] = await store.list({ ids: [job.instance], limit: 1 });
    if (child) emitUndo(telemetry, child, { status: "cancelled", message: why.message });
  }
  for (const { queue } of turn?.others ?? []) host.expect(queue, 0);
  host.done(job);
}
