import type { EmittedOf, StepEvents } from "../../core/define/emit.ts";
import { failedEvent } from "../../core/define/step_definition.ts";
import type { Rewound } from "../../core/engine/by_hand/fold.ts";
import { type Instance, isFinal } from "../../core/engine/instance.ts";
import { notRewindable } from "../../core/errors/by_hand.ts";
import { HephaestusError, InvalidValueError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { decode, encode, type JsonObject } from "../../core/value/json.ts";
import { checkNames, type OptionNames } from "../../core/value/option_names.ts";
import { check } from "../../core/value/type.ts";
import type { PlannedAct } from "../../runner/by_hand/acting.ts";
import type { Destination, EditedOutcome } from "../../runner/by_hand/destination.ts";
import { rewinding } from "../../runner/by_hand/rewinding.ts";
import { aboutInstance, emitUndo } from "../../runner/observe.ts";
import { type Client, notFound } from "../client.ts";
import type { AnyWorkflow, InstanceTarget } from "../find.ts";
import { actedOn, actOf, isIn, type RetryOptions, writtenAt } from "./acts.ts";
import { reportAct, takenBy } from "./retry.ts";

/** A step that an instance can go back to. */
export interface StepOf<E extends StepEvents = StepEvents> {
  /** The name of the step. */
  readonly name: string;
  /** The events that can end it. */
  readonly events: E;
}

/** An outcome that a person gives to a step. */
export interface GivenOutcome {
  readonly event: string;
  readonly output?: unknown;
  readonly metadata?: JsonObject;
}

/** The options of a rewind. The history shows `by` and `reason`. */
export interface RewindOptions<E extends StepEvents = StepEvents> extends RetryOptions {
  /** The step that it goes back to. */
  readonly to: StepOf<E>;
  /** The activation of the step. Default: the one that counts last. */
  readonly activation?: number | undefined;
  /**
   * What the step is taken to have ended with, `{ event: "charged", output: { ... } }`. Default: it
   * runs again.
   */
  readonly outcome?: NoInfer<EmittedOf<E>> | undefined;
}

const rewindNames: OptionNames<RewindOptions> = {
  activation: true,
  by: true,
  outcome: true,
  reason: true,
  to: true,
  tx: true,
};

/** Goes back to a step of an instance. */
export async function rewind(
  client: Client,
  target: AnyWorkflow,
  who: InstanceTarget,
  options: RewindOptions,
): Promise<void> {
  checkNames("rewind", options, rewindNames);
  const act = actOf("rewind", options);
  const { tx, to, activation, outcome } = options;
  const { runtime } = client;
  const { store } = runtime.backend;
  const { instance, workflow, place } = await actedOn(client, target, who, "rewind", options);
  const at = await placeOf(client, workflow, "rewind", { to, activation, outcome });
  let computed: PlannedAct | undefined;
  const reopened = await store.reopen(instance.id, (state, history) => {
    if (computed !== undefined && isIn(history, computed.reopening.turn)) return undefined;
    computed = undefined;
    const { status, control } = state;
    if (control.undo !== undefined || (isFinal(status) && status !== "failed")) return undefined;
    computed = rewinding(runtime, workflow, state, history, at, act, place());
    return computed.reopening;
  }, tx);
  const time = await writtenAt(store, instance, reopened, computed?.reopening.turn);
  if (time === undefined || computed === undefined) {
    if (reopened.kind === "taken") throw notRewindable(instance, takenBy(reopened));
    const status = reopened.kind === "kept" ? reopened.status : undefined;
    if (status === undefined) throw notFound(instance, "rewind");
    throw notRewindable(instance, whyNot(status));
  }
  // The caller's transaction is still open and may never commit.
  if (tx === undefined) report(client, instance, workflow, computed, time);
}

function whyNot(status: Instance["status"]): string {
  if (status === "undoing") return "instance is undoing what its steps have done";
  if (status === "failed" || status === "undone") return "it has undone what its steps had done";
  return `instance is ${status}, and only an instance that is open or has failed can be rewound. ` +
    `A fork begins anew under another key`;
}

/** Checks where a person goes back to, and the outcome that is given. Writes nothing yet. */
export async function placeOf(
  { runtime: { payloadLimit: limit } }: Client,
  workflow: Workflow,
  action: string,
  { to, activation, outcome }: Pick<RewindOptions, "activation"> & {
    readonly to: StepOf;
    readonly outcome?: GivenOutcome | undefined;
  },
): Promise<Destination> {
  const refuse = (why: string) =>
    new TypeError(`Cannot ${action} workflow "${workflow.name}": ${why}`);
  if (typeof to !== "object" && typeof to !== "function" || to === null) {
    throw refuse("expected a step of it, as it is in its rows");
  }
  const step = workflow.steps.get(to.name);
  if (step === undefined) throw refuse(`it has no step "${String(to.name)}"`);
  const isWhole = Number.isInteger(activation) && Number(activation) > 0;
  if (activation !== undefined && !isWhole) {
    throw refuse(`activation ${String(activation)} is not a whole number from 1`);
  }
  if (outcome === undefined) return { step: step.name, activation, outcome: undefined };
  if (step.item !== undefined) {
    throw refuse(`the outcomes of each "${step.name}" cannot be given: its items have them`);
  }
  const { event, output, metadata } = outcome ?? {};
  if (event === failedEvent || !step.events.has(event)) {
    throw refuse(`${step.kind} "${step.name}" declares no event "${String(event)}"`);
  }
  const what = `output of event "${event}" of ${step.kind} "${step.name}"`;
  const checked = await check(step.events.get(event), output);
  if ("problem" in checked) {
    const problems = [{ path: "", message: checked.problem }];
    throw new InvalidValueError({ what, problems, action: `${action} with` });
  }
  const about = `metadata of ${step.kind} "${step.name}"`;
  const texts = {
    output: checked.value === undefined ? undefined : encode(checked.value, { what, limit }),
    metadata: metadata === undefined ? undefined : encode(metadata, { what: about, limit }),
  };
  const value = (text: string | undefined) => text === undefined ? undefined : decode(text);
  const edited: EditedOutcome = {
    event,
    output: value(texts.output),
    metadata: value(texts.metadata) as JsonObject | undefined,
    texts,
  };
  return { step: step.name, activation, outcome: edited };
}

function report(
  client: Client,
  instance: Instance,
  workflow: Workflow,
  computed: PlannedAct,
  at: Date,
): void {
  const { runtime: { telemetry }, workers } = client;
  const { row, reopening: { turn }, progress } = computed;
  const why = new HephaestusError(
    "CANCELLED",
    `The instance was rewound to step "${rewoundTo(row)}"`,
  );
  for (const worker of workers) {
    for (const one of turn.resolved) worker.abort(instance.id, why, one);
  }
  if (telemetry.has("workflow:rewind")) {
    telemetry.emit("workflow:rewind", { ...aboutInstance(instance), ...row as Rewound });
  }
  reportAct(client, instance, workflow, computed, at);
  if (progress.control.undo !== undefined) emitUndo(telemetry, instance, progress.control.undo);
}

function rewoundTo(row: PlannedAct["row"]): string {
  return (row as Rewound).to;
}
