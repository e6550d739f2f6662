import type { InstanceState } from "../../backend/store.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { fold, type Rewound } from "../../core/engine/by_hand/fold.ts";
import { startedAgain, unused } from "../../core/engine/by_hand/restart.ts";
import { type HistoryEntry, isFinal } from "../../core/engine/instance.ts";
import { byHand, REWOUND } from "../../core/engine/progress.ts";
import { notRewindable } from "../../core/errors/by_hand.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { uniqueKey } from "../../core/value/identity.ts";
import type { Runtime } from "../runtime.ts";
import type { Placement } from "../turn/new_jobs.ts";
import {
  type Act,
  outputsOf,
  type PlannedAct,
  rowOf,
  startedWith,
  turnOf,
  withMetadata,
} from "./acting.ts";
import { goingOn } from "./going_on.ts";
import { resumed } from "./resumed.ts";
import { counting } from "./unread_items.ts";
import { type Destination, goBack, neverBegun } from "./destination.ts";

const none: readonly never[] = [];

/**
 * Computes the turn that goes back to a step. Of an open instance, what the step has not caused
 * goes on; one that has failed goes on with it too. Throws when it cannot go back there.
 */
export function rewinding(
  runtime: Runtime,
  workflow: Workflow,
  state: InstanceState,
  history: readonly HistoryEntry[],
  to: Destination,
  act: Act,
  place: Placement,
): PlannedAct {
  const { graph } = workflow;
  const refuse = (why: string, options?: ErrorOptions) => notRewindable(state, why, options);
  if (state.revision === 0) throw refuse(neverBegun);
  const past = fold(graph, history);
  const isOpen = !isFinal(state.status);
  const { undoOn, parent } = state.control;
  const known = isOpen ? state.control : { ...past.progress.control, undoOn, parent };
  // In an open instance, a turn will apply what has none yet.
  const counted = isOpen
    ? { control: known, applied: past.applied, history, read: none }
    : counting(graph, known, past.applied, state, history);
  const before = counted.control;
  const { at, back } = goBack(graph, before, { ...past, applied: counted.applied }, to, refuse);
  const active = new Map([...back.control.active].filter(([step]) => !back.again.includes(step)));
  const { restarts, waits, unread } = isOpen
    ? { restarts: none, waits: none, unread: none }
    : resumed(graph, { ...back.control, active }, history);
  const started = [...unused(graph, back.control, back.again, history), ...restarts];
  const control = startedAgain(graph, back.control, started, back.fresh);
  const outputs = outputsOf(graph, counted.history, back.applied);
  const turn = goingOn(runtime, workflow, {
    ...{ input: state.input, control, outputs, started, waits, to, refuse },
    history: counted.history,
    past: () => past.all.map(({ ending, causes }) => ({ ...ending, causes })),
  });
  const { progress, metadata } = withMetadata(graph, turn, startedWith(state));
  const isSame = state.control.metadata.size + progress.control.metadata.size === 0;
  const row: Rewound = {
    ...act,
    to: activationKey(at),
    takenBack: [...back.keys],
    restarted: started.map(activationKey),
  };
  const isPending = history.some((entry) => entry.state === "pending");
  const key: Activation = {
    ...started.find(({ step }) => step === at.step)!,
    step: byHand + at.step,
  };
  return {
    row,
    progress: { ...progress, withdrawn: [...back.withdrawn.map(byNobody), ...turn.withdrawn] },
    reopening: {
      uniqueKey: uniqueKey(workflow, state.key),
      unread,
      turn: turnOf(runtime, {
        workflow,
        state,
        before,
        progress,
        row: rowOf(key, REWOUND, row),
        metadata: isSame ? undefined : metadata,
        withdrawn: back.withdrawn,
        overdue: back.overdue,
        read: counted.read,
        wakes: progress.wake || unread.length > 0 || (!isOpen && isPending),
      }, place),
    },
  };
}

function byNobody(one: Activation): Activation & { readonly cause: string } {
  return { ...one, cause: "" };
}
