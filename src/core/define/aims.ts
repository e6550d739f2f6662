import { WorkflowDefinitionError } from "../errors/errors.ts";
import type { ArrivalMode } from "../graph/graph.ts";
import { isObject, isStep, type Refuse } from "./options.ts";
import type { StepDefinition } from "./step_definition.ts";

/** A target, before the graph is assembled. */
export interface Aim {
  readonly step: StepDefinition;
  readonly mode: ArrivalMode;
}

/** Where an event leads back, before the graph is assembled. */
export interface WayBack {
  readonly step: StepDefinition;
  readonly limit: number;
  /** Whether the instance fails after the last round. */
  readonly ends: boolean;
}

/** A word of a row that names a step. */
interface NamedStep {
  readonly step: { readonly definition: StepDefinition };
}

interface NamedLoop extends NamedStep {
  readonly limit: number;
  readonly then?: unknown;
}

/** Reads where an event leads back; `undefined` when it does not. */
export function wayBack(move: unknown, refuse: Refuse): WayBack | undefined {
  if (!isAgain(move)) return undefined;
  checkRounds(move, refuse);
  const { step: { definition }, limit, then } = move;
  return { step: definition, limit, ends: then === undefined };
}

/**
 * Reads the targets of an event; of an event that leads back, those after the last round. Errors
 * call the event `from`.
 */
export function aims(move: unknown, from: string): readonly Aim[] {
  if (isAgain(move)) return move.then === undefined ? [] : aims(move.then, from);
  if (isDone(move) || isUndo(move)) return [];
  if (!Array.isArray(move)) return [aim(move, from)];
  const targets: readonly unknown[] = move.filter((target) => !isDrop(target));
  if (targets.length < move.length && targets.length === 1 && isDone(targets[0])) return [];
  if (targets.length > 0) return targets.map((target) => aim(target, from));
  throw new WorkflowDefinitionError(
    `Cannot route ${from} to ${
      move.length === 0 ? "an empty list: use done" : "drop alone: write [done, drop(...)]"
    } to end the path`,
  );
}

/** Whether an event ends the instance by undoing, or does so after the last round. */
export function undoes(move: unknown): boolean {
  return isUndo(move) || (isAgain(move) && isUndo(move.then));
}

/** Reads the branches that an event drops. */
export function dropped(move: unknown): readonly StepDefinition[] {
  return Array.isArray(move) ? move.filter(isDrop).map(({ step }) => step.definition) : [];
}

function aim(target: unknown, from: string): Aim {
  if (isStep(target)) return { step: target.definition, mode: "plain" };
  if (typeof target === "object" && target !== null && "kind" in target && "step" in target) {
    const { kind, step } = target;
    if ((kind === "join" || kind === "first") && isStep(step)) {
      return { step: step.definition, mode: kind };
    }
  }
  throw new WorkflowDefinitionError(
    `Cannot route ${from} to ${described(target)}: ${
      isDone(target)
        ? "done ends a path, and only drop may stand beside it"
        : isAgain(target)
        ? "again must be the only target"
        : isUndo(target)
        ? "undo must be the only target"
        : isDrop(target)
        ? "drop stands beside a target. To end the path as well, write [done, drop(...)]"
        : "it is not a step"
    }`,
  );
}

/** Describes a value that should have been a step. */
export function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (isDone(value)) return "done";
  if (isUndo(value)) return "undo";
  if (isAgain(value)) return "again";
  if (isObject(value) && ["join", "first", "drop"].includes(value["kind"] as string)) {
    return value["kind"] as string;
  }
  return value === null || value === undefined ? `${value}` : `a value of type ${typeof value}`;
}

function isAgain(value: unknown): value is NamedLoop {
  return isObject(value) && value["kind"] === "again" && isStep(value["step"]);
}

function isDrop(value: unknown): value is NamedStep {
  return isObject(value) && value["kind"] === "drop" && isStep(value["step"]);
}

function isUndo(value: unknown): boolean {
  return isObject(value) && value["kind"] === "undo" && !isStep(value);
}

function isDone(value: unknown): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "done";
}

/** Validates the options of a loop. */
export function checkRounds(options: object, refuse: Refuse): void {
  const { limit, then } = options as Partial<NamedLoop>;
  if (limit === undefined || !Number.isInteger(limit) || limit < 1 || limit > mostRounds) {
    throw refuse(`option "limit" is not a whole number from 1 to 1,000,000`);
  }
  if ("then" in options && then === undefined) {
    throw refuse(
      `option "then" is undefined: leave it out to fail the instance after the last round`,
    );
  }
  if (isAgain(then)) {
    throw refuse(`option "then" leads back again. Use one loop with the larger limit`);
  }
  if (isDrop(then) || dropped(then).length > 0) {
    throw refuse(`option "then" drops a branch. Let it lead to a choice that drops the branch`);
  }
}

/** An activation is a number of 32 bits, and loops within each other add to it. */
const mostRounds = 1_000_000;
