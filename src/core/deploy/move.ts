import { type Activation, activationKey } from "../engine/activation.ts";
import {
  awaitedActivation,
  emptyControl,
  encodeControl,
  isActive,
  isDropped,
} from "../engine/control.ts";
import type { Control } from "../engine/instance.ts";
import { mergeMetadata } from "../engine/metadata.ts";
import { FAILED, LATER, type StepEnding } from "../engine/progress.ts";
import type { Graph, GraphStep } from "../graph/graph.ts";
import { type AppliedResult, replay, type Replayed } from "./replay.ts";

/** An open instance as it is stored, for {@linkcode move}. */
export interface MovingInstance {
  readonly control: Control;
  readonly history: readonly AppliedResult[];
  /** Results that no turn has applied yet. */
  readonly unread: readonly (Activation & Pick<StepEnding, "event">)[];
  /** Deliveries that are scheduled. */
  readonly scheduled: readonly (Pick<StepEnding, "step" | "event">)[];
}

/**
 * Moves an instance to another graph, if it could have got to where it is on that graph as well:
 * the graph applies the same results for the same causes, drops the same activations, and waits in
 * the same activations for the same events. The control is then the one that the graph arrives at,
 * so everything that `build()` has proved of the graph holds for the instance. `of` names it.
 */
export function move(from: Graph, to: Graph, instance: MovingInstance, of: string): Replayed {
  const { control, history } = instance;
  if (control.undo !== undefined) return { reason: "it undoes what its steps have done" };
  const before = replay(from, history, "it");
  // Whatever the results do not tell would be lost.
  if (before.reason !== undefined || stateOf(before.control) !== stateOf(control)) {
    return { reason: "its results do not tell how it got to where it is" };
  }
  const now = replay(to, history, of);
  if (now.reason !== undefined) return now;
  const { metadata, early, undoOn, parent } = control;
  const moved: Control = { ...now.control, metadata, early, undoOn, parent };
  const reason = elsewhere(control, moved, to, of) ??
    [...control.active.keys()].map((step) => otherWait(from, to, step, of)).find(isReason) ??
    instance.unread.map((one) => unreadable(one, [from, control], [to, moved], of))
      .find(isReason) ??
    instance.scheduled.map((one) => undeliverable(one, from, to, of)).find(isReason) ??
    otherMetadata(from, to, moved, of);
  return reason === undefined ? { control: moved } : { reason };
}

function isReason(reason: string | undefined): reason is string {
  return reason !== undefined;
}

/**
 * The state without what results do not tell: the metadata of the start, kept deliveries, and when
 * it undoes.
 */
function stateOf(
  { metadata, early: _early, undoOn: _undoOn, parent: _parent, ...state }: Control,
): string {
  const added = new Map([...metadata].filter(([step]) => step !== ""));
  return JSON.stringify(
    sorted(JSON.parse(encodeControl({ ...emptyControl, ...state, metadata: added }))),
  );
}

/** The value with its members and items in an order that depends on nothing else. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(sorted(item))).sort();
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, item]) => [name, sorted(item)]);
}

function elsewhere(is: Control, wouldBe: Control, to: Graph, of: string): string | undefined {
  for (const [step, { activation }] of is.active) {
    if (isActive(wouldBe, { step, activation })) continue;
    return to.steps.has(step)
      ? `it is at "${activationKey({ step, activation })}", and ${of} would not be`
      : `it is at "${step}", which ${of} does not have`;
  }
  for (const [step, { activation }] of wouldBe.active) {
    if (!isActive(is, { step, activation })) return `${of} would have started "${step}" already`;
  }
  return undefined;
}

/** A step that is active keeps its jobs: they must be those that it would have. */
function otherWait(from: Graph, to: Graph, step: string, of: string): string | undefined {
  const [was, is] = [from.steps.get(step)!, to.steps.get(step)!];
  if (was.kind !== is.kind) return `it is at ${was.kind} "${step}", a ${is.kind} in ${of}`;
  if (was.asynchronous !== is.asynchronous) {
    return `it is at "${step}", which is ${is.asynchronous ? "" : "not "}asynchronous in ${of}`;
  }
  if (was.child !== is.child) {
    const child = is.child === undefined ? "nothing" : `"${is.child}"`;
    return `it is at "${step}", which starts ${child} in ${of}`;
  }
  const [had, has] = [was, is].map(({ moves }) => [...moves.keys()].sort().join());
  return had === has ? undefined : `it is at "${step}", whose events are others in ${of}`;
}

type GraphState = readonly [graph: Graph, control: Control];

/** A result that will be read must mean the same. */
function unreadable(
  one: MovingInstance["unread"][number],
  before: GraphState,
  now: GraphState,
  of: string,
): string | undefined {
  const { step, event } = one;
  if (isActive(now[1], one)) {
    const known = event === LATER || event === FAILED || now[0].steps.get(step)!.moves.has(event);
    return known ? undefined : `"${step}" has ended with "${event}", which ${of} does not have`;
  }
  const [late, isStillLate] = [isLate(before, one), isLate(now, one)];
  if (late && isStillLate) return undefined;
  if (late === isStillLate) return undeliverable(one, before[0], now[0], of);
  return `a delivery to "${step}" waits, which ${of} would not keep`;
}

function isLate([graph, control]: GraphState, one: Activation): boolean {
  return one.activation < awaitedActivation(graph, control, one.step) ||
    isDropped(graph, control, one.step);
}

/** A delivery that comes later must find its wait, its event and its round. */
function undeliverable(
  { step, event }: Pick<StepEnding, "step" | "event">,
  from: Graph,
  to: Graph,
  of: string,
): string | undefined {
  const is = to.steps.get(step);
  const takes = (one: GraphStep | undefined) => one?.kind === "signal" || one?.asynchronous;
  if (takes(is) && (event === LATER || is!.moves.has(event))) {
    if ((from.loopsAround(step).length > 0) === (to.loopsAround(step).length > 0)) return undefined;
  }
  return `a delivery of "${event}" to "${step}" waits, which ${of} would not take`;
}

/** Rows decide how metadata is merged. */
function otherMetadata(from: Graph, to: Graph, control: Control, of: string): string | undefined {
  const [was, is] = [from, to].map((graph) =>
    JSON.stringify(sorted(mergeMetadata(graph, control)))
  );
  return was === is ? undefined : `its metadata would be merged in another order in ${of}`;
}
