import { listed } from "../core/errors/base.ts";
import type { Unserved } from "./queue.ts";

/** A message about jobs that no process can run, for one queue or one workflow. */
export interface UnservedNotice {
  /** An identifier that stays the same as long as the message is about the same problem. */
  readonly about: string;
  readonly count: number;
  /** Says which queue or code is missing and how many jobs wait for it. */
  readonly sentence: string;
}

/** Groups unserved jobs by what is missing. */
export function unservedNotices(unserved: readonly Unserved[]): readonly UnservedNotice[] {
  const found = new Map<string, readonly Unserved[]>();
  for (const one of unserved) {
    const about = missing(one);
    found.set(about, [...found.get(about) ?? [], one]);
  }
  return [...found].map(([about, jobs]) => {
    const count = jobs.reduce((sum, one) => sum + one.count, 0);
    const { step, workflow, queue, hasQueue, servedQueues } = jobs[0]!;
    const what = step === undefined ? `workflow "${workflow}"` : `step "${step}" of "${workflow}"`;
    const served = hasQueue || servedQueues.length === 0
      ? ""
      : `; served queues: ${listed(servedQueues)}`;
    const where = hasQueue ? ` in queue "${queue}"` : "";
    const are = count === 1 ? "1 job is" : `${count} jobs are`;
    return {
      about,
      count,
      sentence: `${about}: ${are} due${where}, for example ${what}${served}`,
    };
  });
}

function missing({ queue, workflow, version, hasQueue, hasCode }: Unserved): string {
  const code = `the code of workflow "${workflow}" version ${version}`;
  if (!hasQueue) return `No live process serves queue "${queue}"`;
  if (!hasCode) return `No live process has ${code}`;
  return `No live process that serves queue "${queue}" has ${code}`;
}
