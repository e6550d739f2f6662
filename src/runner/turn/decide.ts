import type { Control } from "../../core/engine/instance.ts";
import { emitter } from "../../core/define/emit.ts";
import type { Decide } from "../../core/engine/progress.ts";
import { InvalidValueError } from "../../core/errors/errors.ts";
import type { Workflow } from "../../core/graph/workflow.ts";
import { isPromise, settled } from "../../core/value/promise.ts";
import { callUserCode } from "../../core/value/user_code.ts";
import { mostDeaths } from "../../backend/job.ts";
import { type OutputCache, readNeeds } from "../run/inputs.ts";
import { decision } from "../run/outcome.ts";

/**
 * Some choice reads outputs that are not here: they must be loaded, then the turn is computed
 * again.
 */
export class MissingOutputs extends Error {
  readonly steps: readonly string[];
  constructor(steps: readonly string[]) {
    super(`Outputs of ${steps.join(", ")} are not loaded`);
    this.steps = steps;
  }
}

/** What choices are decided by. */
export interface Deciding {
  readonly workflow: Workflow;
  readonly input: unknown;
  /** What the instance is before the turn. */
  readonly control: Control;
  readonly outputs: OutputCache;
  /** Bytes that one value may take as JSON. */
  readonly payloadLimit: number;
  /** How often a process died that was computing this turn. */
  readonly deaths: number;
}

/**
 * Runs the code of choices. What they decide carries its own result, like the step that has ended
 * here. Throws {@linkcode MissingOutputs}.
 */
export function decider(deciding: Deciding): Decide {
  const { workflow, input, control, outputs, payloadLimit, deaths } = deciding;
  return (choice, endedNow) => {
    const { step: name } = choice;
    const step = workflow.steps.get(name);
    if (step?.decide === undefined) {
      throw new TypeError(`Cannot decide step "${name}": it is no choice`);
    }
    const ended = (need: string) => endedNow.get(need) ?? outputs.latest(control, need);
    const missing = step.needs.map((need) => need.name).filter((need) => !ended(need));
    if (missing.length > 0) throw new MissingOutputs(missing);
    if (deaths >= mostDeaths) throw deadly(name, deaths);
    const context = { input, steps: readNeeds(step.needs, ended), emit: emitter(step) };
    const returned = callUserCode(() => step.decide?.(context));
    if (isPromise(returned)) throw unawaited(name, returned);
    return decision(step, choice, returned, payloadLimit, workflow.graph.isRead(name));
  };
}

function deadly(choice: string, deaths: number): Error {
  return new Error(
    `Cannot decide choice "${choice}": the process died each of the ${deaths} times that it was about to`,
  );
}

function unawaited(choice: string, returned: PromiseLike<unknown>): InvalidValueError {
  // Nobody else will hear of it when it rejects.
  settled(returned).catch(() => {});
  return new InvalidValueError({
    what: `choice "${choice}"`,
    problems: [{ path: "", message: "is a promise, and a choice must not wait" }],
    action: "decide",
  });
}

/** Choices may throw anything: a revoked proxy throws when it is asked for its class. */
export function isMissing(error: unknown): error is MissingOutputs {
  try {
    return error instanceof MissingOutputs;
  } catch {
    return false;
  }
}
