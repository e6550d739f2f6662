import type { InstanceState, UnreadResult } from "../../backend/store.ts";
import type { Processed, Recorded } from "../../backend/turn.ts";
import type { Activation } from "../../core/engine/activation.ts";
import {
  type AppliedEnding,
  DROPPED,
  ITEMS,
  LATER,
  type ListedItems,
  type Progress,
  type Withdrawn,
} from "../../core/engine/progress.ts";
import { filtered } from "../../core/value/filtered.ts";
import type { LocalResult } from "../run/outcome.ts";

const none: readonly never[] = [];

/**
 * The results that are written with the turn: of steps that have ended here, of choices, and of
 * steps that were withdrawn.
 */
export function recordedIn(
  { applied, withdrawn, listed }: Pick<Progress, "applied" | "withdrawn" | "listed">,
): readonly Recorded[] {
  const recorded = filtered(applied, isRecorded)
    .map(({ ending, causes }) => ({ result: ending.result, causes }));
  if (withdrawn.length + listed.length === 0) return recorded;
  return [...recorded, ...withdrawn.map(droppedResult), ...listed.map(listedResult)];
}

const nothing = { metadata: undefined, errors: undefined, duration: undefined };

function droppedResult({ step, activation, cause }: Withdrawn): Recorded {
  const key = { step, activation, waits: false };
  return {
    result: { ...key, event: DROPPED, attempt: 1, output: undefined, ...nothing },
    causes: [cause],
  };
}

function listedResult({ step, activation, total }: ListedItems): Recorded {
  const key = { step, activation, waits: true };
  return {
    result: { ...key, event: ITEMS, attempt: 1, output: String(total), ...nothing },
    causes: none,
  };
}

/** Whether a result has no row yet: it is from a step that has ended here or from a choice. */
function isRecorded(
  applied: AppliedEnding,
): applied is AppliedEnding & { readonly ending: LocalResult } {
  return "result" in applied.ending;
}

/** What happens to results that were already stored. */
export function processedIn(
  { applied, ignored }: Progress,
  unread: readonly UnreadResult[],
  { version }: InstanceState,
): readonly Processed[] {
  if (unread.length + ignored.length === 0) return none;
  return [
    ...filtered(applied, (one) => !isRecorded(one))
      .map(({ ending, causes }) => processed(ending, ending.event === LATER, causes)),
    ...[...ignored, ...unread.filter((row) => row.version !== version)]
      .map((row) => processed(row, row.waits, undefined)),
  ];
}

export function processed(
  { step, activation }: Activation,
  waits: boolean,
  causes: Processed["causes"],
): Processed {
  return { step, activation, waits, causes };
}
