import { eachAt, isItem, placeOf } from "../each/items.ts";
import type { Graph } from "../graph/graph.ts";
import type { JsonObject } from "../value/json.ts";
import { type Activation, activationKey, firstActivation } from "./activation.ts";
import type {
  ActiveStep,
  Control,
  ParentLink,
  ReturnedEnding,
  UndoOn,
  UndoReason,
} from "./instance.ts";

/** The state before anything has started. */
export const emptyControl: Control = {
  active: new Map(),
  activations: new Map(),
  rounds: new Map(),
  restarted: new Map(),
  arrived: new Map(),
  begun: new Set(),
  dropped: new Set(),
  later: new Set(),
  early: new Set(),
  each: new Map(),
  metadata: new Map(),
  past: new Map(),
  undoOn: new Set(),
  undo: undefined,
  returned: undefined,
  parent: undefined,
};

/** The activation under which a step is active, or else ran last, or else will run first. */
export function activationOf(
  { active, activations }: Pick<Control, "active" | "activations">,
  step: string,
): number {
  return active.get(step)?.activation ?? activations.get(step) ?? firstActivation;
}

/**
 * The activation under which a step runs next in this round: 1, how often loops around it have led
 * back, and how often it was started again by hand. It does not depend on which steps have run, so
 * a delivery can be recorded for a step that has not started.
 */
export function nextActivation(
  graph: Pick<Graph, "loopsAround">,
  { rounds, restarted }: Pick<Control, "rounds" | "restarted">,
  step: string,
): number {
  let activation = firstActivation;
  if (restarted.size > 0) activation += restarted.get(step) ?? 0;
  if (rounds.size === 0) return activation;
  for (const head of graph.loopsAround(step)) activation += rounds.get(head)?.total ?? 0;
  return activation;
}

/** The activation that a delivery to this step is for: the active one, or else the next one. */
export function awaitedActivation(
  graph: Pick<Graph, "loopsAround">,
  control: Pick<Control, "active" | "activations" | "rounds" | "restarted">,
  step: string,
): number {
  return control.active.get(step)?.activation ??
    Math.max(activationOf(control, step), nextActivation(graph, control, step));
}

/**
 * Whether this activation has started and not ended. Of an item, only whether it has begun and its
 * step is active: the control does not know which items have ended. The key of their results does.
 */
export function isActive(
  control: Pick<Control, "active" | "each">,
  one: Activation,
): boolean {
  const there = control.active.get(one.step);
  if (there !== undefined) return there.activation === one.activation;
  return control.each.size > 0 && isItem(one.step) && hasBegun(control, one);
}

function hasBegun({ active, each }: Pick<Control, "active" | "each">, item: Activation): boolean {
  const { step, activation } = eachAt(item);
  return active.get(step)?.activation === activation &&
    placeOf(item) < (each.get(step)?.begun ?? 0);
}

/** Whether a step is in a branch that was dropped in this round. */
export function isDropped(
  graph: Pick<Graph, "branchesAround">,
  { dropped }: Pick<Control, "dropped">,
  step: string,
): boolean {
  return dropped.size > 0 && graph.branchesAround(step).some((head) => dropped.has(head));
}

/** Whether an activation that is not active will not start any more. An item is never early. */
export function isOverdue(
  graph: Pick<Graph, "branchesAround" | "loopsAround">,
  control: Pick<
    Control,
    "active" | "activations" | "rounds" | "restarted" | "dropped" | "undo"
  >,
  { step, activation }: Activation,
): boolean {
  return control.undo !== undefined || isItem(step) || activation < activationOf(control, step) ||
    activation < nextActivation(graph, control, step) || isDropped(graph, control, step);
}

/** The key of the activation under which a step is active or ran last. */
export function latestOf(
  control: Pick<Control, "active" | "activations">,
  step: string,
): string {
  return activationKey({ step, activation: activationOf(control, step) });
}

const none: readonly never[] = [];

/**
 * The keys of the activations that started an active step: one, all sources of a join, or none when
 * it is the first step.
 */
export function causesOf(
  graph: Graph,
  control: Pick<Control, "active" | "activations">,
  step: string,
): readonly string[] {
  const cause = control.active.get(step)?.cause;
  if (cause === "*") return graph.sources(step).map((source) => latestOf(control, source));
  return cause === undefined || cause === "" ? none : [cause];
}

/**
 * Encodes the control as JSON text without empty members. Most turns write only active steps, and a
 * wide fan-out writes many of them. Step names need no escaping, and concatenating text takes a
 * third of the time of building an object and calling `JSON.stringify`. An activation follows an
 * `@` when it is not the first, and that of its idempotency key another one where it differs.
 */
export function encodeControl(control: Control): string {
  let text = "";
  for (const [step, { activation, cause, keyOf }] of control.active) {
    const key = keyOf === undefined ? "" : `@${keyOf}`;
    const of = activation === firstActivation ? "" : `@${activation}${key}`;
    text += `${text === "" ? "" : ","}"${step}":"${cause}${of}"`;
  }
  const { activations, rounds, restarted, arrived, begun, dropped, later, early, metadata, past } =
    control;
  const { undoOn, undo } = control;
  return `{"active":{${text}}` + object("activations", activations) +
    encodeRounds(rounds) +
    object("restarted", restarted) +
    object("arrived", arrived) +
    list("begun", begun) + list("dropped", dropped) + list("later", later) + list("early", early) +
    encodeEach(control.each) +
    object("metadata", metadata) + object("past", past) + encodeReturned(control.returned) +
    list("undoOn", undoOn) +
    (undo === undefined ? "" : `,"undo":${JSON.stringify(undo)}`) +
    (control.parent === undefined ? "" : `,"parent":${JSON.stringify(control.parent)}`) + "}";
}

function encodeEach(each: Control["each"]): string {
  if (each.size === 0) return "";
  const numbers = new Map<string, readonly number[]>();
  for (const [step, { total, begun, ended, failed }] of each) {
    numbers.set(step, [total, begun, ended, failed]);
  }
  return object("each", numbers);
}

function encodeReturned(returned: Control["returned"]): string {
  if (returned === undefined) return "";
  return `,"returned":${JSON.stringify([returned.outcome, returned.step, returned.activation])}`;
}

function encodeRounds(rounds: Control["rounds"]): string {
  if (rounds.size === 0) return "";
  const numbers = new Map<string, readonly [number, number]>();
  for (const [head, { total, since }] of rounds) numbers.set(head, [total, since]);
  return object("rounds", numbers);
}

function object(name: string, map: ReadonlyMap<string, unknown>): string {
  return map.size === 0 ? "" : `,"${name}":${JSON.stringify(Object.fromEntries(map))}`;
}

function list(name: string, set: ReadonlySet<string>): string {
  return set.size === 0 ? "" : `,"${name}":${JSON.stringify([...set])}`;
}

interface Encoded {
  readonly active?: { readonly [step: string]: string };
  readonly activations?: { readonly [step: string]: number };
  readonly rounds?: { readonly [step: string]: readonly [total: number, since: number] };
  readonly restarted?: { readonly [step: string]: number };
  readonly arrived?: { readonly [step: string]: number };
  readonly begun?: readonly string[];
  readonly dropped?: readonly string[];
  readonly later?: readonly string[];
  readonly early?: readonly string[];
  readonly each?: {
    readonly [step: string]: readonly [total: number, begun: number, ended: number, failed: number];
  };
  readonly metadata?: { readonly [step: string]: JsonObject };
  readonly past?: { readonly [step: string]: readonly string[] };
  readonly undoOn?: readonly UndoOn[];
  readonly undo?: UndoReason;
  readonly returned?: readonly [outcome: string, step: string, activation: number];
  readonly parent?: ParentLink;
}

/** Parses the output of {@linkcode encodeControl}. */
export function decodeControl(text: string): Control {
  const control: Encoded = JSON.parse(text);
  const active = new Map<string, ActiveStep>();
  for (const [step, text] of Object.entries(control.active ?? {})) active.set(step, read(text));
  return {
    active,
    activations: new Map(Object.entries(control.activations ?? {})),
    rounds: new Map(
      Object.entries(control.rounds ?? {}).map((entry) => {
        const [head, [total, since]] = entry;
        return [head, { total, since }];
      }),
    ),
    restarted: new Map(Object.entries(control.restarted ?? {})),
    arrived: new Map(Object.entries(control.arrived ?? {})),
    begun: new Set(control.begun),
    dropped: new Set(control.dropped),
    later: new Set(control.later),
    early: new Set(control.early),
    each: control.each === undefined ? emptyControl.each : eachIn(control.each),
    metadata: new Map(Object.entries(control.metadata ?? {})),
    past: new Map(Object.entries(control.past ?? {})),
    undoOn: new Set(control.undoOn),
    undo: control.undo,
    returned: control.returned && returnedBy(control.returned),
    parent: control.parent,
  };
}

function eachIn(each: NonNullable<Encoded["each"]>): Control["each"] {
  return new Map(
    Object.entries(each).map(([step, [total, begun, ended, failed]]) =>
      [step, { total, begun, ended, failed }] as const
    ),
  );
}

function returnedBy(
  [outcome, step, activation]: NonNullable<Encoded["returned"]>,
): ReturnedEnding {
  return { outcome, step, activation };
}

function read(text: string): ActiveStep {
  const [cause = "", of, keyOf] = text.split("@");
  const activation = of === undefined ? firstActivation : Number(of);
  return keyOf === undefined ? { cause, activation } : { cause, activation, keyOf: Number(keyOf) };
}
