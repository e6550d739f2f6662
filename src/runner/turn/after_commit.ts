import { HephaestusError } from "../../core/errors/errors.ts";
import type { Failure } from "../../core/value/failure.ts";
import { type Instance, isFinal } from "../../core/engine/instance.ts";
import type { Host } from "../host.ts";
import type { InstanceCache } from "./instance_cache.ts";
import { observe, sayFailed } from "../observe.ts";
import type { Runtime } from "../runtime.ts";
import { begun, type HandedOver, takeBack } from "./hand_over.ts";
import type { Computed } from "./compute_turn.ts";

/**
 * What follows in this process from a turn that was written under its id `process`, at a time by
 * the store's clock.
 */
export function applied(
  { runtime, host, instances }: {
    readonly runtime: Runtime;
    readonly host: Host;
    readonly instances: InstanceCache;
  },
  one: HandedOver,
  process: string,
  at: Date,
): void {
  const { plan, turn } = one;
  const { computed, outputs, workflow } = plan;
  instances.set(computed.next);
  for (const { ending } of computed.progress.applied) {
    if (ending.activation > 0 && workflow.graph.isRead(ending.step)) {
      outputs.set(ending.step, ending);
    }
  }
  // Nobody comes between: what begins holds no more than what is given back here.
  takeBack(one);
  for (const { job } of plan.included) job.slot.release();
  const { reused } = turn;
  if (reused) {
    // The row's token was raised by one: it fences off whoever still has the job that was in it.
    const token = plan.included[0]!.job.token + 1;
    host.begin(begun(reused, process, host.slots.hold(reused.queue), token));
  }
  for (const job of turn.started) {
    if (job.owned) host.begin(begun(job, process, host.slots.hold(job.queue)));
    else host.expect(job.queue, job.delay);
  }
  if (turn.wake) host.expect(turn.wake.queue, 0);
  observe(runtime.telemetry, plan, at);
  const { status } = computed.next;
  const { thrown } = computed.progress;
  const error: Failure | undefined = turn.error === undefined ? undefined : JSON.parse(turn.error);
  if (thrown && error) sayFailed(runtime.logger, computed.next, { ...thrown, attempts: 1, error });
  if (!isFinal(status)) return;
  // A completed instance has no other step that runs.
  if (status === "failed") {
    host.abort(plan.instance, new HephaestusError("CANCELLED", "The instance has failed"));
  }
  host.finished(plan.instance, finalInstance(computed, error, at));
}

/** What a look at its row would find. */
function finalInstance({ next }: Computed, error: Failure | undefined, at: Date): Instance {
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
