import { milliseconds } from "../../core/value/duration.ts";
import { delay, resolveRetry } from "../../core/value/retry.ts";
import type { OwnedJob } from "../host.ts";
import type { Runtime } from "../runtime.ts";
import { isUnreachable, memberOf } from "../upkeep/outage.ts";
import { deadlinePassed, leftOf } from "./attempt.ts";

/** The verdict on an attempt that threw. */
export type Verdict =
  | { readonly kind: "retry"; readonly delay: number }
  | { readonly kind: "snooze"; readonly delay: number }
  | { readonly kind: "discard" };

/** A verdict, and the error that it is about. */
export interface Judged {
  readonly verdict: Verdict;
  readonly error: unknown;
}

const outageDelay = 1_000;
const engineRetry = { attempts: 1_000, backoff: "exponential", base: "1s", max: "5m" } as const;

/** Why a child cannot start. Another attempt would say the same. */
const noChild: readonly string[] = ["INVALID_CHILD", "CHILD_KEY_TAKEN", "CHILD_TOO_DEEP"];

/**
 * Judges what a job threw, `spent` milliseconds after its attempt began. If the next attempt could
 * not begin before the deadline of the step, the step fails now, because of its deadline.
 */
export function judgeInTime(
  runtime: Pick<Runtime, "registry" | "retry" | "random">,
  job: OwnedJob,
  error: unknown,
  { ran, spent = 0 }: { readonly ran: boolean; readonly spent?: number | undefined },
): Judged {
  const verdict = judge(runtime, job, error, ran);
  const left = leftOf(job, spent);
  if (left === undefined || verdict.kind === "discard" || verdict.delay < left) {
    return { verdict, error };
  }
  const isOver = memberOf(error, "code") === "DEADLINE";
  return {
    verdict: { kind: "discard" },
    error: isOver ? error : deadlinePassed(job, { cause: error }),
  };
}

/**
 * Judges what a job threw. Advances, timers and deliveries are never discarded: they back off. Once
 * user code has run (`ran`), any error is a failed attempt, even a database error: it may come from
 * another database.
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
  // An unreachable database is not the fault of the step.
  if (!ran && isUnreachable(error)) return { kind: "snooze", delay: outageDelay };
  if (code === "FATAL" || code === "INVALID_TIME" || job.attempt >= maxAttempts) {
    return { kind: "discard" };
  }
  if (noChild.includes(String(code))) return { kind: "discard" };
  const workflow = runtime.registry.find(job.workflow, job.version);
  const step = runtime.registry.step(job.workflow, job.version, job.step);
  const retry = resolveRetry(step?.retry, workflow?.retry, runtime.retry);
  return { kind: "retry", delay: delay(retry, job.attempt, runtime.random) };
}

/**
 * Milliseconds; `undefined` if it is not a duration. The value is unchecked if the error comes from
 * another copy of the package or from a user's own class.
 */
function length(duration: unknown): number | undefined {
  try {
    return milliseconds(duration);
  } catch {
    return undefined;
  }
}
