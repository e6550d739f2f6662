import { activationBy } from "./activation.ts";
import { over } from "./draft.ts";
import type { Control } from "./instance.ts";
import type { Ignored, InstanceFailure, Progress } from "./progress.ts";

const none: readonly never[] = [];

/** Ends an instance independently of its graph: no step is active afterwards. */
export function cancel(control: Control): Progress {
  return {
    control: over(control),
    status: "cancelled",
    applied: none,
    kept: none,
    ignored: keptIn(control),
    started: none,
    waiting: none,
    withdrawn: none,
    resolved: none,
    wake: false,
    failed: undefined,
  };
}

/**
 * Lets an instance fail for a reason that its graph does not know, after what a turn has done so
 * far: no step is active afterwards.
 */
export function fail(progress: Progress, failed: InstanceFailure): Progress {
  return {
    ...cancel(progress.control),
    status: "failed",
    applied: progress.applied,
    ignored: [...progress.ignored, ...keptIn(progress.control)],
    withdrawn: progress.withdrawn,
    resolved: progress.resolved,
    failed,
  };
}

/** Early deliveries that were kept. */
export function keptIn({ early }: Pick<Control, "early">): readonly Ignored[] {
  return [...early].map((key) => ({ ...activationBy(key), waits: false }));
}
