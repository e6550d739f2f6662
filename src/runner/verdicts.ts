import { milliseconds } from "../core/duration.ts";
import { emptyControl, encodeControl } from "../core/control.ts";
import { FatalError, HephaestusError, RetryLaterError } from "../core/errors.ts";
import { type Failure, failure } from "../core/failure.ts";
import { isFinal } from "../core/instance.ts";
import { delay, resolveRetry } from "../core/retry.ts";
import type { Ending, Known } from "../store/store.ts";
import { type Host, leaseOf, type OwnedJob } from "./host.ts";
import { aboutInstance, aboutJob } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { isOf, isUnreachable, pause } from "./trouble.ts";

/** What is decided about an attempt that threw. */
export type Verdict =
  | { readonly kind: "retry"; readonly delay: number }
  | { readonly kind: "snooze"; readonly delay: number }
  | { readonly kind: "discard" };

const outageDelay = 1_000;
const engineRetry = { attempts: 1_000, backoff: "exponential", base: "1s", max: "5m" } as const;

/** Judges what a job has thrown. Advances, timers and deliveries are never given up: they back off. */
export function judge(
  parts: Pick<Parts, "registry" | "retry" | "random">,
  job: OwnedJob,
  error: unknown,
): Verdict {
  if (isOf(RetryLaterError, error)) return { kind: "snooze", delay: milliseconds(error.after) };
  const { maxAttempts } = job;
  if (maxAttempts === undefined) {
    return { kind: "retry", delay: delay(resolveRetry(engineRetry), job.attempt, parts.random) };
  }
  // That the database is away is no fault of the step.
  if (isUnreachable(error)) return { kind: "snooze", delay: outageDelay };
  if (isOf(FatalError, error) || job.attempt >= maxAttempts) return { kind: "discard" };
  const workflow = parts.registry.find(job.workflow, job.version);
  const step = parts.registry.step(job.workflow, job.version, job.step);
  const retry = resolveRetry(step?.retry, workflow?.retry, parts.retry);
  return { kind: "retry", delay: delay(retry, job.attempt, parts.random) };
}

/** What cannot even be judged, such as a delay that is none, has failed for that reason. */
function judged(parts: Parts, job: OwnedJob, error: unknown): Verdict {
  try {
    return judge(parts, job, error);
  } catch (reason) {
    return judge(parts, job, reason);
  }
}

/** Carries out a verdict on a job that failed, and gives its slot back. Never rejects. */
export async function settleFailure(
  parts: Parts,
  host: Host,
  job: OwnedJob,
  error: unknown,
  duration?: number,
): Promise<Verdict> {
  const verdict = judged(parts, job, error);
  for (let done = false; !done;) {
    try {
      await carryOut(parts, host, job, verdict, failure(error), duration);
      done = true;
    } catch (trouble) {
      parts.logger.warn("Cannot record a failed attempt", { job: job.id, error: failure(trouble) });
      // Unrecorded, the job stays ours until the heartbeat or a rescue gives it back.
      done = !isUnreachable(trouble) || !(await pause(host.givenUp));
    }
  }
  host.slots.release(job.queue);
  return verdict;
}

async function carryOut(
  parts: Parts,
  host: Host,
  job: OwnedJob,
  verdict: Verdict,
  error: Failure,
  duration: number | undefined,
): Promise<void> {
  const { queue } = parts.backend;
  const lease = leaseOf(job);
  const { telemetry } = parts;
  if (verdict.kind === "retry") {
    const held = await queue.retry(lease, error, verdict.delay);
    if (held) telemetry.emit("job:retry", { ...aboutJob(job), error, delay: verdict.delay });
  } else if (verdict.kind === "snooze") {
    const held = await queue.snooze(lease, verdict.delay);
    if (held) telemetry.emit("job:snooze", { ...aboutJob(job), delay: verdict.delay });
  } else return await discard(parts, host, job, error, duration);
  // Not to be staged a whole poll late.
  host.expect(job.queue, Math.max(1, verdict.delay));
}

/** Gives a step up: in one transaction its job is discarded, its instance fails, and its other jobs are cancelled. */
export async function discard(
  parts: Parts,
  host: Host,
  job: OwnedJob,
  error: Failure,
  duration: number | undefined,
): Promise<void> {
  let ended: Known | undefined;
  const attempt = Math.min(job.attempt, job.maxAttempts ?? job.attempt);
  const result = await parts.backend.store.end(
    job.instance,
    (known) => {
      ended = known;
      return isFinal(known.status) ? undefined : endingOf(known, "failed", error);
    },
    {
      discard: {
        lease: leaseOf(job),
        step: job.step ?? "",
        activation: 1,
        attempt,
        errors: [...job.errors, error],
        duration,
      },
    },
  );
  if (result.kind !== "ended" || ended === undefined) return;
  parts.telemetry.emit("job:discard", { ...aboutJob(job), error });
  parts.telemetry.emit("workflow:exception", {
    ...aboutInstance(ended),
    error,
    duration: undefined,
  });
  host.abort(
    job.instance,
    new HephaestusError("CANCELLED", `The instance failed in step "${job.step}"`),
  );
  host.finished(job.instance);
}

/** How an instance ends from outside its graph: nothing is active any more. */
export function endingOf(known: Known, status: Ending["status"], error: Failure): Ending {
  const control = encodeControl({ ...emptyControl, metadata: known.control.metadata });
  return { status, control, error, ignored: [...known.control.early] };
}
