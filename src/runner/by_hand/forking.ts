import type { Forking, InstanceState } from "../../backend/store.ts";
import { eachAt, isItem } from "../../core/each/items.ts";
import { activationKey } from "../../core/engine/activation.ts";
import { fold, type Forked } from "../../core/engine/by_hand/fold.ts";
import { forkedFrom } from "../../core/engine/by_hand/forked.ts";
import { startedAgain, unused } from "../../core/engine/by_hand/restart.ts";
import { encodeControl } from "../../core/engine/control.ts";
import { type HistoryEntry, isFinal } from "../../core/engine/instance.ts";
import {
  type AppliedEnding,
  byHand,
  FORKED,
  LATER,
  type Progress,
} from "../../core/engine/progress.ts";
import { notForkable } from "../../core/errors/by_hand.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import { encode } from "../../core/value/json.ts";
import type { Runtime } from "../runtime.ts";
import { jobsOf, type Placement } from "../turn/new_jobs.ts";
import { recordedIn } from "../turn/rows.ts";
import { withDeadline } from "../turn/times.ts";
import { type Act, outputsOf, rowOf, startedWith, withMetadata } from "./acting.ts";
import { goingOn } from "./going_on.ts";
import { type Destination, goBack, neverBegun } from "./destination.ts";

/** The instance that a fork makes. */
export interface ForkTarget {
  readonly id: string;
  readonly key: string;
}

/** A fork before it is written. */
export interface PlannedFork {
  readonly forking: Forking;
  readonly progress: Progress;
  readonly row: Forked;
}

const none: readonly never[] = [];

/**
 * Computes an instance that begins at a step of another one, with the results of that one which the
 * step has not caused. Throws when it cannot begin there.
 */
export function forking(
  runtime: Runtime,
  workflow: Workflow,
  state: InstanceState,
  history: readonly HistoryEntry[],
  from: Destination,
  { id, key }: ForkTarget,
  act: Act,
  place: Placement,
): PlannedFork {
  const { graph } = workflow;
  const refuse = (why: string, options?: ErrorOptions) => notForkable(state, why, options);
  if (state.revision === 0) throw refuse(neverBegun);
  const past = fold(graph, history);
  const before = isFinal(state.status) ? past.progress.control : state.control;
  const { at, back } = goBack(graph, before, past, from, refuse);
  const stays = thatHaveEnded(back.applied);
  const { control: begun, applied } = forkedFrom(graph, stays, at.step);
  const copied = [...applied, ...stays.filter(({ ending }) => isItem(ending.step))];
  const steps = [...begun.active.keys()];
  const used = applied.map(({ ending }) => ending);
  const started = unused(graph, { ...begun, active: new Map() }, steps, used);
  const control = startedAgain(graph, begun, started, new Set(steps));
  const undoing = { ...control, undoOn: workflow.undoOn };
  const { input } = state;
  const turn = goingOn(runtime, workflow, {
    ...{ input, control: undoing, started, waits: none, to: from, refuse, history },
    outputs: outputsOf(graph, history, copied),
    past: () => applied.map(({ ending, causes }) => ({ ...ending, causes })),
  });
  const timedTurn = withDeadline(turn, { workflow, input });
  const { progress, metadata } = withMetadata(graph, timedTurn, startedWith(state));
  const row: Forked = {
    ...act,
    from: { id: state.id, key: state.key },
    to: activationKey(at),
    restarted: started.map(activationKey),
  };
  const text = (value: unknown, what: string) => encode(value ?? null, { what, limit: Infinity });
  return {
    progress,
    row,
    forking: {
      revision: copied.length + 1,
      copied: copied.map(({ ending: { step, activation, event } }, place) => ({
        ...{ step, activation, waits: event === LATER, revision: place + 1 },
      })),
      instance: {
        ...{ id, key, workflow: state.workflow, version: state.version, graph: state.graph },
        uniqueKey: isFinal(progress.status) ? undefined : uniqueKey(workflow, key),
        status: progress.status === "running" ? "pending" : progress.status,
        control: encodeControl(progress.control),
        tags: state.tags,
        metadata: JSON.stringify(metadata),
        error: undefined,
        input: text(input, "input"),
        recorded: [
          rowOf({ step: byHand, activation: 1 }, FORKED, row),
          ...recordedIn(progress),
        ],
        started: jobsOf(runtime, { workflow, instance: id }, progress, place),
      },
    },
  };
}

/**
 * A wait that has not ended begins again: what was sent out for it names the other instance. So
 * does a list of which items still run.
 */
function thatHaveEnded(applied: readonly AppliedEnding[]): readonly AppliedEnding[] {
  const keys = new Set<string>();
  const last = new Map<string, number>();
  for (const { ending } of applied) {
    if (ending.event === LATER) continue;
    keys.add(activationKey(ending));
    last.set(ending.step, Math.max(ending.activation, last.get(ending.step) ?? 0));
  }
  return applied.filter(({ ending }) => {
    if (!isItem(ending.step)) return keys.has(activationKey(ending));
    // After a retry by hand, a list ends under a later activation than its first items.
    const { step, activation } = eachAt(ending);
    return (last.get(step) ?? 0) >= activation;
  });
}
