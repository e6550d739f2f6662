import { mostDeaths } from "../../backend/job.ts";
import { emitter } from "../../core/define/emit.ts";
import type { Control } from "../../core/engine/instance.ts";
import type { Decide } from "../../core/engine/progress.ts";
import { InvalidValueError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { isPromise, unawaited } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import { type OutputCache, readNeeds } from "../run/inputs.ts";
import { decision } from "../run/outcome.ts";

/** A choice reads outputs that are not loaded. They must be loaded, and the turn computed again. */
export class MissingOutputs extends Error {
  readonly steps: readonly string[];
  constructor(steps: readonly string[]) {
    super(`Outputs of ${steps.join(", ")} are not loaded`);
    this.steps = steps;
  }
}

/** The instance undoes, and its history is not loaded. It must be, and the turn computed again. */
export class MissingHistory extends Error {
  constructor() {
    super("The history is not loaded");
  }
}

/** The input for the decisions of choices. */
export interface Deciding {
  readonly workflow: Workflow;
  readonly input: unknown;
  /** The state of the instance before the turn. */
  readonly control: Control;
  readonly outputs: OutputCache;
  /** Maximum size of one value as JSON, in bytes. */
  readonly payloadLimit: number;
  /** How often a process died while it computed this turn. */
  readonly deaths: number;
}

/**
 * Runs the code of choices. Each decision has its own result, like a step that has ended here.
 * Throws {@linkcode MissingOutputs}.
 */
export function decider(deciding: Deciding): Decide {
  const { workflow, input, control, outputs, payloadLimit, deaths } = deciding;
  return (choice, endedNow) => {
    const { step: name } = choice;
    const step = workflow.steps.get(name);
    if (step?.decide === undefined) {
      throw new TypeError(`Cannot decide step "${name}": it is not a choice`);
    }
    const ended = (need: string) => endedNow.get(need) ?? outputs.latest(control, need);
    const missing = step.needs.map((need) => need.name).filter((need) => !ended(need));
    if (missing.length > 0) throw new MissingOutputs(missing);
    if (deaths >= mostDeaths) throw deadly(name, deaths);
    const context = { input, steps: readNeeds(step.needs, ended), emit: emitter(step) };
    const returned = callUserCode(() => step.decide?.(context));
    if (isPromise(returned)) throw asynchronous(name, returned);
    return decision(step, choice, returned, payloadLimit, workflow.graph.isRead(name));
  };
}

function deadly(choice: string, deaths: number): Error {
  return new Error(
    `Cannot decide choice "${choice}": the process died each of the ${deaths} times that it tried to`,
  );
}

function asynchronous(choice: string, returned: PromiseLike<unknown>): InvalidValueError {
  unawaited(returned);
  return new InvalidValueError({
    what: `choice "${choice}"`,
    problems: [{ path: "", message: "is a promise, but a choice must be synchronous" }],
    action: "decide",
  });
}

/** Choices may throw anything: `instanceof` throws on a revoked proxy. */
export function isMissing(error: unknown): error is MissingOutputs {
  try {
    return error instanceof MissingOutputs;
  } catch {
    return false;
  }
}
