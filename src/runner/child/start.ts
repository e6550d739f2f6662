import type { WithDeadline } from "../../backend/job.ts";
import type { StoreTransaction } from "../../backend/store.ts";
import type { Turn } from "../../backend/turn.ts";
import { childId, childKey } from "../../core/child/identity.ts";
import type { ChildDefinition } from "../../core/define/step_definition.ts";
import { isFinal, type ParentLink } from "../../core/engine/instance.ts";
import { clause } from "../../core/define/times.ts";
import { HephaestusError, RetryLaterError } from "../../core/errors/errors.ts";
import { resolve, type VersionedWorkflow } from "../../core/graph/version.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { isPromise, unawaited } from "../../core/value/promise.ts";
import type { Due } from "../../core/value/time.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import { isRunning, passOf } from "../host.ts";
import { emitStart, logFailure } from "../observe.ts";
import { instanceOf, prepare, type Prepared } from "../incoming/prepare.ts";
import { type Attempt, deadlinePassed, leftOf } from "../run/attempt.ts";
import type { ReadOutputs } from "../run/context.ts";
import { waitResult } from "../run/outcome.ts";
import type { WorkerContext } from "../run/worker_context.ts";
import { commitAlone } from "../turn/commit_alone.ts";
import { jobsOf, placement } from "../turn/new_jobs.ts";
import { endOf } from "./others.ts";

/** The step was ended elsewhere first: nothing is started. */
class NotStarted extends Error {}

/**
 * Starts the child of a step in the transaction whose turn lets the step wait. So a turn that
 * withdraws the step either comes first, and the child is never started, or sees the child.
 */
export async function startChild(
  workers: WorkerContext,
  attempt: Attempt,
  child: ChildDefinition,
  { steps }: ReadOutputs,
): Promise<void> {
  const { runtime, host, instances } = workers;
  const { job } = attempt;
  const { workflow, prepared, parent } = await childOf(workers, attempt, child, steps);
  await runtime.graphs.admit([workflow], false);
  const result = waitResult(attempt, { child: prepared.state.id });
  using slots = host.slots.hold();
  try {
    const written = await runtime.backend.store.transaction(async (tx) => {
      // An attempt that ended with a lost answer may have started it.
      const fresh = (await instances.refresh([job.instance])).get(job.instance);
      if (fresh === undefined || !isRunning(fresh, job) || fresh.control.later.has(job.step!)) {
        throw new NotStarted();
      }
      const place = await placement(runtime, [prepared.starting], () => false);
      const target = { workflow, instance: prepared.state.id };
      const { starting } = prepared;
      const opening = {
        ...instanceOf(prepared, jobsOf(runtime, target, starting, place)),
        parent,
      };
      const at = (await tx.open(job.process, [opening])).get(opening.id);
      if (at === undefined) throw keyTaken(attempt, prepared);
      // One that has ended in its first turn has said nothing yet.
      const ended = isFinal(prepared.state.status) ? [endOf(prepared.state.id, parent)] : [];
      const on = {
        commit: (process: string, turns: readonly Turn[]) =>
          tx.commit(
            process,
            turns.map((turn) => ({ ...turn, others: [...turn.others ?? [], ...ended] })),
          ),
        record: outrun,
      };
      const after = await commitAlone(workers, on, job, result, { slots });
      if (after === undefined) throw new NotStarted();
      return () => {
        after();
        report(workers, workflow, prepared, at);
        for (const { queue } of [...opening.started, ...ended]) host.expect(queue, 0);
      };
    });
    written();
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    await runtime.backend.store.pass([passOf(job)]);
  }
  host.done(job);
}

/** A step must not wait without a turn: what withdraws it would not see its child. */
const outrun: StoreTransaction["record"] = () => {
  throw new RetryLaterError({ after: "1s", reason: "its instance changes too often" });
};

function report(
  { runtime: { logger, telemetry }, host }: WorkerContext,
  workflow: Workflow,
  { state, starting, error, failedIn }: Prepared,
  at: Date,
): void {
  const now = { ...state, insertedAt: at };
  if (error) logFailure(logger, state, { step: failedIn, attempts: 1, error });
  emitStart(telemetry, now, workflow, starting, error);
  if (isFinal(now.status)) host.finished(now.id);
}

async function childOf(
  { runtime }: WorkerContext,
  attempt: Attempt,
  child: ChildDefinition,
  steps: ReadOutputs["steps"],
): Promise<
  { readonly workflow: Workflow; readonly prepared: Prepared; readonly parent: ParentLink }
> {
  const { job, step, cached: { state } } = attempt;
  const { name } = step;
  const depth = (state.control.parent?.depth ?? 0) + 1;
  if (depth > child.depth) throw tooDeep(name, child.depth);
  const { activation } = job;
  const { detached } = child;
  const queue = runtime.queues.resume;
  const parent = { instance: state.id, step: name, activation, depth, queue, detached };
  const left = leftOf(job, performance.now() - attempt.began);
  if (left !== undefined && left <= 0) throw deadlinePassed(job);
  try {
    const context = { input: state.input, steps };
    const input = made(child.input, context);
    const key = child.key === undefined
      ? childKey(state.id, { step: name, activation })
      : made(child.key, context) as string;
    const target = child.target as Workflow | VersionedWorkflow;
    const workflow = resolve(target, undefined, { key, input });
    const prepared = await prepare(runtime, workflow, { key, input });
    return { workflow, parent, prepared: withParent(prepared, parent, attempt) };
  } catch (error) {
    const sentence = `Cannot start the child of step "${name}": ${clause(error)}`;
    throw new HephaestusError("INVALID_CHILD", sentence, { cause: error });
  }
}

function made(code: (context: never) => unknown, context: unknown): unknown {
  const returned = callUserCode(() => code(context as never));
  if (!isPromise(returned)) return returned;
  unawaited(returned);
  throw new TypeError("Its functions must be synchronous, but one has returned a promise");
}

/** A child knows its parent, and fails at the deadline of its step. */
function withParent(prepared: Prepared, parent: ParentLink, attempt: Attempt): Prepared {
  const { state, starting } = prepared;
  const { job, began } = attempt;
  const left = leftOf(job, performance.now() - began) ?? 0;
  const ends = job.args === undefined ? undefined : new Date((job.args as WithDeadline).deadline);
  const id = childId(parent);
  return {
    ...prepared,
    state: { ...state, id, control: { ...state.control, parent } },
    starting: ends === undefined || isFinal(state.status)
      ? starting
      : { ...starting, deadline: sooner(starting.deadline, ends, left) },
  };
}

function sooner(own: Due | undefined, ends: Date, left: number): Due {
  if (own === undefined) return ends;
  return (typeof own === "number" ? own < left : own < ends) ? own : ends;
}

function keyTaken({ step }: Attempt, { state: { workflow, key } }: Prepared): HephaestusError {
  const value = key.slice(key.indexOf("::") + 2);
  return new HephaestusError(
    "CHILD_KEY_TAKEN",
    `Cannot start the child of step "${step.name}": another instance of workflow "${workflow}" has the key "${value}"`,
  );
}

function tooDeep(step: string, depth: number): HephaestusError {
  return new HephaestusError(
    "CHILD_TOO_DEEP",
    `Cannot start the child of step "${step}": it would have more than ${depth} ancestors. Raise the option "depth" if that is meant`,
  );
}
