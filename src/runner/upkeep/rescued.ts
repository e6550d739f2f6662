import type { OrphanedJob, Rescued } from "../../backend/queue.ts";
import { titleOf } from "../../core/value/identity.ts";
import type { Runtime } from "../runtime.ts";

const namedInSentence = 5;

/**
 * Reports processes that were declared dead, each with the jobs it was running: one of those may
 * have killed it.
 */
export function reportRescued({ telemetry, logger }: Runtime, rescued: Rescued): void {
  const { processes, queues, running } = rescued;
  telemetry.emit("job:rescue", { processes, queues });
  for (const process of processes) {
    const its = running.filter((job) => job.process === process);
    logger.warn(`Process ${process} was declared dead. ${whatRan(its)}`, {
      process,
      running: its.map(({ process: _, ...job }) => job),
    });
  }
}

function whatRan(jobs: readonly OrphanedJob[]): string {
  if (jobs.length === 0) return "It was running no jobs";
  const named = jobs.slice(0, namedInSentence).map(sentenceOf);
  const more = jobs.length - named.length;
  return `It was running ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function sentenceOf(
  { kind, step, workflow, key, instance, attempt, maxAttempts }: OrphanedJob,
): string {
  const what = step === undefined ? `the ${kind}` : `step "${step}"`;
  const most = maxAttempts === undefined ? "" : ` of ${maxAttempts}`;
  return `${what} of ${titleOf(workflow, key, instance)} (attempt ${attempt}${most})`;
}
