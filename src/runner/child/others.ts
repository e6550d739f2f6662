import { withdrawnStep } from "../../backend/job.ts";
import type { InstanceState } from "../../backend/store.ts";
import type { OtherJob } from "../../backend/turn.ts";
import { childId } from "../../core/child/identity.ts";
import { firstActivation } from "../../core/engine/activation.ts";
import { isActive } from "../../core/engine/control.ts";
import { isFinal, type ParentLink } from "../../core/engine/instance.ts";
import { LATER, type Progress } from "../../core/engine/progress.ts";
import type { Graph } from "../../core/graph/graph.ts";

/**
 * What such a job says. With a `delivery`, it counts as one that is scheduled: it may be inserted
 * while its instance ends.
 */
export interface OtherArguments {
  /** The instance that has inserted it. */
  readonly delivery: string;
  /** In a job for the parent: the child that has ended. */
  readonly child?: string;
  /** In a job for a child: the step of the parent. */
  readonly step?: string;
}

/**
 * The jobs that a turn inserts for other instances: for the parent of an instance that ends, and
 * for children whose step was withdrawn. A child has been started when its step waits. `graph` is
 * unknown where an instance is cancelled without its code: then any step that waits may have one.
 */
export function othersOf(
  graph: Graph | undefined,
  before: Pick<InstanceState, "id" | "control">,
  after: Pick<Progress, "control" | "status" | "applied">,
  queue: string,
): readonly OtherJob[] | undefined {
  const { id, control: { parent, later } } = before;
  if (later.size === 0 && (parent === undefined || !isFinal(after.status))) return undefined;
  const others: OtherJob[] = [];
  if (parent !== undefined && isFinal(after.status)) {
    others.push(endOf(id, parent));
  }
  for (const step of later) {
    const activation = before.control.active.get(step)?.activation ?? firstActivation;
    const one = { step, activation };
    const waits = graph !== undefined && graph.steps.get(step)?.child === undefined;
    if (waits || isActive(after.control, one)) continue;
    const hasEnded = after.applied.some(({ ending }) =>
      ending.step === step && ending.activation === activation && ending.event !== LATER
    );
    if (hasEnded) continue;
    const args: OtherArguments = { delivery: id, step };
    others.push({
      instance: childId({ instance: id, ...one }),
      step: withdrawnStep,
      activation: firstActivation,
      queue,
      args: JSON.stringify(args),
    });
  }
  return others.length === 0 ? undefined : others;
}

/** The job that tells a parent that its child has ended. */
export function endOf(child: string, parent: ParentLink): OtherJob {
  const { instance, step, activation, queue } = parent;
  const args: OtherArguments = { delivery: child, child };
  return { instance, step, activation, queue, args: JSON.stringify(args) };
}
