import type { Graph } from "../../graph/graph.ts";
import { type Activation, activationBy, activationKey } from "../activation.ts";
import { causesOf, latestOf, nextActivation } from "../control.ts";
import { advance, open } from "../engine.ts";
import type { ActiveStep, Control } from "../instance.ts";
import type { AppliedEnding, StepEnding } from "../progress.ts";
import { reach } from "./restart.ts";

/** The past of an instance, in the order in which it happened. */
export interface Past {
  /** What has been applied and not been taken back. */
  readonly applied: readonly AppliedEnding[];
  /** How steps were active that were dropped, or cut off by used-up rounds. */
  readonly cutOff: ReadonlyMap<string, ActiveStep>;
}

/** An instance without an activation and without what that has caused. */
export interface TakenBack {
  /** What starts again is active under its former activation. */
  readonly control: Control;
  readonly applied: readonly AppliedEnding[];
  /** The keys of what is taken back, the activation itself first. */
  readonly keys: ReadonlySet<string>;
  /** The steps that must start again. */
  readonly again: readonly string[];
  /** Those of them that get an idempotency key of their own. */
  readonly fresh: ReadonlySet<string>;
  /** What was active and is not any more. */
  readonly withdrawn: readonly Activation[];
  /** Deliveries that were kept for what starts under another activation now. */
  readonly overdue: readonly Activation[];
}

/**
 * Takes back an activation and what it has caused. Every step that can come after it gets another
 * activation from now on. Returns `undefined` if the step would not be active then: it has been
 * dropped since, or its loop has gone on without it.
 */
export function takeBack(
  graph: Graph,
  before: Control,
  past: Past,
  to: Activation,
): TakenBack | undefined {
  const keys = causedBy(graph, before, past.applied, to);
  const applied = past.applied.filter(({ ending }) => !keys.has(activationKey(ending)));
  const now = refold(graph, applied).control;
  if (!now.active.has(to.step)) return undefined;
  const active = new Map<string, ActiveStep>();
  const again: string[] = [];
  const fresh = new Set<string>();
  for (const [step, entry] of now.active) {
    const was = before.active.get(step);
    const { cause } = entry;
    const isCaused = was !== undefined && keys.has(latestOf(before, step));
    if (step !== to.step && was !== undefined && !isCaused) active.set(step, was);
    else {
      again.push(step);
      // What has not ended goes on with the same work, unless something else has caused it. A list
      // is made anew, so its items are other ones.
      const cut = graph.steps.get(step)?.kind === "each"
        ? undefined
        : step === to.step
        ? was?.activation === to.activation ? was : undefined
        : isCaused
        ? undefined
        : past.cutOff.get(step);
      if (cut === undefined) fresh.add(step);
      active.set(step, { ...(cut ?? entry), cause });
    }
  }
  const withdrawn = [...before.active]
    .filter(([step, entry]) => active.get(step) !== entry)
    .map(([step, { activation }]) => ({ step, activation }));
  const restarted = new Map(before.restarted);
  for (const step of reach(graph, to.step)) restarted.set(step, (restarted.get(step) ?? 0) + 1);
  const control: Control = {
    ...now,
    active,
    rounds: roundsOf(before, now),
    restarted,
    later: new Set([...now.later].filter((step) => !again.includes(step))),
    each: new Map(
      [...before.each].filter(([step]) => active.get(step) === before.active.get(step)),
    ),
    undoOn: before.undoOn,
    parent: before.parent,
  };
  const isOverdue = ({ step, activation }: Activation) =>
    (again.includes(step) || !active.has(step)) &&
    activation < nextActivation(graph, control, step);
  const overdue = [...before.early].map(activationBy).filter(isOverdue);
  const early = new Set(before.early);
  for (const one of overdue) early.delete(activationKey(one));
  return { control: { ...control, early }, applied, keys, again, fresh, withdrawn, overdue };
}

/** The numbers of rounds go on: activations are made of them. The limits count what has stayed. */
function roundsOf(before: Control, now: Control): Control["rounds"] {
  return new Map(
    [...before.rounds].map(([head, { total }]) => {
      return [head, { total, since: now.rounds.get(head)?.since ?? 0 }];
    }),
  );
}

/** The keys of an activation and of all that would not have been without it. */
function causedBy(
  graph: Graph,
  before: Control,
  applied: readonly AppliedEnding[],
  to: Activation,
): ReadonlySet<string> {
  const keys = new Set([activationKey(to)]);
  const isCaused = (causes: readonly string[]) => causes.some((cause) => keys.has(cause));
  for (const { ending, causes } of applied) {
    if (isCaused(causes)) keys.add(activationKey(ending));
  }
  for (const step of before.active.keys()) {
    if (isCaused(causesOf(graph, before, step))) keys.add(latestOf(before, step));
  }
  return keys;
}

/**
 * Where an instance stands after these results, one after the other, whatever their activations
 * are: choices do not decide, and what is left out may have counted.
 */
export function refold(
  graph: Graph,
  endings: readonly Pick<AppliedEnding, "ending">[],
): { readonly control: Control; readonly applied: readonly AppliedEnding[] } {
  const undecided = () => undefined;
  const applied: AppliedEnding[] = [];
  let { control } = open(graph, undecided);
  for (const { ending } of endings) {
    const entry = control.active.get(ending.step);
    if (entry === undefined) continue;
    const { activation } = ending;
    const active = new Map(control.active).set(ending.step, { ...entry, activation });
    const before = { ...control, active };
    const turn = advance(graph, before, [ending], undecided);
    applied.push(...turn.applied);
    control = withoutRound(graph, before, turn.control, ending);
  }
  return { control, applied };
}

/** A new round begins without what is still active of the last one. */
function withoutRound(
  graph: Graph,
  before: Control,
  now: Control,
  { step, event }: StepEnding,
): Control {
  const loop = graph.steps.get(step)?.loops.get(event);
  if (loop === undefined || now.rounds.get(loop.to) === before.rounds.get(loop.to)) return now;
  const active = new Map(now.active);
  for (const name of graph.body(loop.to)) {
    if (active.get(name) === before.active.get(name)) active.delete(name);
  }
  return { ...now, active };
}
