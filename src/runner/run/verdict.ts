import { milliseconds } from "../../core/value/duration.ts";
import { delay, resolveRetry } from "../../core/value/retry.ts";
import type { OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import { isUnreachable, memberOf } from "../upkeep/outage.ts";

/** What is decided about an attempt that threw. */
export type Verdict =
  | { readonly kind: "retry"; readonly delay: number }
  | { readonly kind: "snooze"; readonly delay: number }
  | { readonly kind: "discard" };

const outageDelay = 1_000;
const engineRetry = { attempts: 1_000, backoff: "exponential", base: "1s", max: "5m" } as const;

/**
 * Judges what a job has thrown. Advances, timers and deliveries are never given up: they back off.
 * What is thrown once code of the user's `ran` is a failed attempt, whatever it says of databases:
 * it may speak of another one.
 */
export function judge(
  runtime: Pick<Runtime, "registry" | "retry" | "random">,
  job: OwnedJob,
  error: unknown,
  ran: boolean,
): Verdict {
  const code = memberOf(error, "code");
  const wait = code === "RETRY_LATER" ? length(memberOf(error, "after")) : undefined;
  if (wait !== undefined) return { kind: "snooze", delay: wait };
  const { maxAttempts } = job;
  if (maxAttempts === undefined) {
    return { kind: "retry", delay: delay(resolveRetry(engineRetry), job.attempt, runtime.random) };
  }
  // That the database is away is no fault of the step.
  if (!ran && isUnreachable(error)) return { kind: "snooze", delay: outageDelay };
  if (code === "FATAL" || job.attempt >= maxAttempts) return { kind: "discard" };
  const workflow = runtime.registry.find(job.workflow, job.version);
  const step = runtime.registry.step(job.workflow, job.version, job.step);
  const retry = resolveRetry(step?.retry, workflow?.retry, runtime.retry);
  return { kind: "retry", delay: delay(retry, job.attempt, runtime.random) };
}

/**
 * Milliseconds; `undefined` for what is no duration: nobody checks what another copy of the
 * package, or nobody's class, asks for.
 */
function length(duration: unknown): number | undefined {
  try {
    return milliseconds(duration);
  } catch {
    return undefined;
  }
}
