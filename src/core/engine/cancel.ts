import { activationBy } from "./activation.ts";
import { over } from "./draft.ts";
import type { Control } from "./instance.ts";
import { type Ignored, LATER, type Progress, type StepEnding } from "./progress.ts";

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

/** Early deliveries that were kept. */
export function keptIn({ early }: Pick<Control, "early">): readonly Ignored[] {
  return [...early].map((key) => ({ ...activationBy(key), waits: false }));
}

/** What is said of a result that will not be read. */
export function ignored({ step, activation, event }: StepEnding): Ignored {
  return { step, activation, waits: event === LATER };
}
