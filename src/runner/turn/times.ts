import { deadlineStep, type Job, mostDeaths, type WithDeadline } from "../../backend/job.ts";
import type { InstanceState } from "../../backend/store.ts";
import type { StepDefinition } from "../../core/define/step_definition.ts";
import { type StepTime, type TimeName, timeOf } from "../../core/define/times.ts";
import { type Activation, activationKey } from "../../core/engine/activation.ts";
import { fail } from "../../core/engine/cancel.ts";
import { isFinal } from "../../core/engine/instance.ts";
import type { InstanceFailure, Progress } from "../../core/engine/progress.ts";
import { stepIn, type Workflow } from "../../core/graph/workflow.ts";
import { HephaestusError } from "../../core/errors/errors.ts";
import type { Due } from "../../core/value/time.ts";
import { readNeeds } from "../run/inputs.ts";
import { type Deciding, isMissing, MissingOutputs } from "./decide.ts";

/** The times that a turn has computed, by the key of the activation that begins to count. */
export type Times = ReadonlyMap<string, Due>;

/** A turn with the times that its jobs are made from. */
export interface TimedProgress extends Progress {
  /** Absent if no time had to be computed. */
  readonly times?: Times;
  /** The deadline of the instance, in the turn that starts it. */
  readonly deadline?: Due;
}

/**
 * Computes the times of the steps that a turn starts. A function that throws fails the instance, as
 * a choice does. Throws {@linkcode MissingOutputs}.
 */
export function timed(progress: Progress, deciding: Deciding): TimedProgress {
  let times: Map<string, Due> | undefined;
  let current: Activation | undefined;
  try {
    for (const one of progress.started) {
      current = one;
      const due = compute(one, startTime, progress, deciding);
      if (due !== undefined) (times ??= new Map()).set(activationKey(one), due);
    }
    for (const one of progress.waiting) {
      current = one;
      const due = compute(one, waitTime, progress, deciding);
      if (due !== undefined) (times ??= new Map()).set(activationKey(one), due);
    }
  } catch (error) {
    if (isMissing(error)) throw error;
    const step = current?.step ?? "";
    const failed = { step, failure: undefined, thrown: error, attempts: 1 };
    return fail(deciding.workflow.graph, progress, failed);
  }
  return times === undefined ? progress : { ...progress, times };
}

/** Computes the deadline of an instance in the turn that starts it. */
export function withDeadline(
  progress: TimedProgress,
  { workflow, input }: Pick<Deciding, "workflow" | "input">,
): TimedProgress {
  const { name, deadline, graph } = workflow;
  if (deadline === undefined || isFinal(progress.status)) return progress;
  try {
    const context = { input, steps: {} };
    const owner = { kind: "workflow", name };
    return { ...progress, deadline: timeOf(deadline, owner, "deadline", context) };
  } catch (error) {
    return fail(graph, progress, failedBy(error));
  }
}

/** Lets an instance fail whose deadline has passed, unless it has ended or undoes already. */
export function expired(
  progress: TimedProgress,
  { workflow, key }: Pick<InstanceState, "workflow" | "key">,
  { graph }: Pick<Workflow, "graph">,
  { args }: Pick<Job, "args">,
): TimedProgress {
  if (isFinal(progress.status) || progress.control.undo !== undefined) return progress;
  const at = new Date((args as WithDeadline).deadline).toISOString();
  const sentence = `Cannot finish ${workflow} "${key}": its deadline ${at} has passed`;
  return fail(graph, progress, failedBy(new HephaestusError("DEADLINE", sentence)));
}

function failedBy(thrown: unknown): InstanceFailure {
  return { step: deadlineStep, failure: undefined, thrown, attempts: 1 };
}

/** Which time begins to count when a step starts. */
export function startTime(
  { kind, asynchronous, child }: StepDefinition,
): TimeName | undefined {
  if (kind === "timer") return "after";
  if (kind === "signal") return "expires";
  return kind === "step" && (!asynchronous || child !== undefined) ? "deadline" : undefined;
}

/** Which time begins to count when an asynchronous step begins to wait. */
export function waitTime(): TimeName {
  return "expires";
}

/** A time that begins to count in a turn. Those that are not fixed have been computed. */
export function counted(
  time: StepTime | undefined,
  activation: Activation,
  times: Times | undefined,
): Due | undefined {
  return typeof time === "function" ? times?.get(activationKey(activation)) : time;
}

/** The time that begins to count with an activation, if its step computes one. */
function compute(
  one: Activation,
  nameOf: (step: StepDefinition) => TimeName | undefined,
  { applied }: Progress,
  { workflow, input, control, outputs, deaths }: Deciding,
): Due | undefined {
  const step = stepIn(workflow, one.step);
  if (step === undefined) return undefined;
  const option = nameOf(step);
  const time = option && step[option];
  if (option === undefined || typeof time !== "function") return undefined;
  const ended = (need: string) =>
    applied.findLast(({ ending }) => ending.step === need)?.ending ?? outputs.latest(control, need);
  const missing = step.needs.map(({ name }) => name).filter((name) => !ended(name));
  if (missing.length > 0) throw new MissingOutputs(missing);
  if (deaths >= mostDeaths) throw deadly(step, option, deaths);
  const context = { input, steps: readNeeds(step.needs, ended) };
  return timeOf(time, step, option, context);
}

function deadly({ kind, name }: StepDefinition, option: TimeName, deaths: number): Error {
  return new Error(
    `Cannot compute option "${option}" of ${kind} "${name}": the process died each of the ${deaths} times that it tried to`,
  );
}
