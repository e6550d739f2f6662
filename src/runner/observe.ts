import type { Failure } from "../core/failure.ts";
import type { AboutAttempt, AboutInstance, AboutJob } from "../core/telemetry.ts";
import type { Telemetry } from "../queue/telemetry.ts";
import type { Known } from "../store/store.ts";
import type { OwnedJob } from "./host.ts";
import type { Plan } from "./plan.ts";

/** What events say of an instance. */
export function aboutInstance({ id, workflow, version, key }: Known): AboutInstance {
  return { instance: id, workflow, version, key };
}

/** What events say of an attempt. */
export function aboutAttempt(known: Known, job: OwnedJob): AboutAttempt {
  return { ...aboutInstance(known), step: job.step ?? "", job: job.id, attempt: job.attempt };
}

/** What events say of a job. */
export function aboutJob(job: OwnedJob): AboutJob {
  const { id, kind, queue, workflow, version, instance, step, attempt } = job;
  return { job: id, kind, queue, workflow, version, instance, step, attempt };
}

/** Tells listeners of a turn that was written. */
export function observe(telemetry: Telemetry, { computed, included, workflow }: Plan): void {
  const { next, progress, turn } = computed;
  const about = aboutInstance(next);
  if (telemetry.has("workflow:transition")) {
    for (const { ending } of progress.applied) {
      if (ending.activation < 0) continue;
      const targets = workflow.graph.steps.get(ending.step)?.moves.get(ending.event) ?? [];
      const started = targets.map(({ to }) => to).filter((to) => progress.started.includes(to));
      telemetry.emit("workflow:transition", {
        ...about,
        step: ending.step,
        event: ending.event,
        started,
      });
    }
  }
  if (telemetry.has("advance")) {
    telemetry.emit("advance", {
      ...about,
      revision: next.revision,
      status: next.status,
      results: progress.applied.length,
      started: progress.started,
      inline: included.every(({ ended }) => ended !== undefined),
    });
  }
  if (next.status === "completed") {
    telemetry.emit("workflow:stop", { ...about, status: next.status, duration: undefined });
  }
  if (turn.error !== undefined) {
    const error: Failure = JSON.parse(turn.error);
    telemetry.emit("workflow:exception", { ...about, error, duration: undefined });
  }
}
