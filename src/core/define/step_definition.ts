import type { ItemPolicy } from "../each/counts.ts";
import type { StepKind } from "../graph/graph.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Type } from "../value/type.ts";
import type { Context } from "./context.ts";
import type { StepTime, TimeContext } from "./times.ts";

/** The event of a step that failed for good, in a row that has a road for it. */
export const failedEvent = "failed";

/** In a need: any event of the step's own. */
export const anyEvent = "*";

/** In a need: any event of the step's own, or `failed`. */
export const anyEnd = "!";

/** In a need: what follows the name of an event whose outputs in all rounds are meant. */
const everyRound = "[]";

/** The event of `every(event)`, as a need has it. */
export function inEveryRound(event: string): string {
  return event + everyRound;
}

/** The event that `every` refers to; `undefined` for other needs. */
export function everyOf({ event }: Pick<Need, "event">): string | undefined {
  return event.endsWith(everyRound) ? event.slice(0, -everyRound.length) : undefined;
}

/**
 * A reference to the result of an earlier step: the output of one event, its outcome (`"*"`), its
 * outcome including `failed` (`"!"`), or the outputs of one event in all rounds (`"results[]"`).
 */
export interface Need<
  Name extends string = string,
  Event extends string = string,
  Output = unknown,
> {
  /** The name of the earlier step. */
  readonly name: Name;
  /** The event, `"*"`, `"!"`, or the event and `"[]"`. */
  readonly event: Event;
  /** Exists only in the types. */
  readonly "~output": Output;
}

/** A step as data, as the engine and the workers read it. */
export interface StepDefinition {
  /** The name, unique within a workflow. */
  readonly name: string;
  /** The kind of step. */
  readonly kind: StepKind;
  /** Whether its code may return `emit.later()`. */
  readonly asynchronous: boolean;
  /**
   * Its events, each with the type of its output; `undefined` for an event that the engine emits.
   */
  readonly events: ReadonlyMap<string, Type<unknown> | undefined>;
  /** Results that must exist when it starts. */
  readonly needs: readonly Omit<Need, "~output">[];
  /** Results that may exist when it starts. */
  readonly sees: readonly Omit<Need, "~output">[];
  /** Whether it reads what a loop brings back to it. */
  readonly takesRounds: boolean;
  /** The input that the workflow must have. */
  readonly input: Type<unknown> | undefined;
  /** How failed attempts are retried. */
  readonly retry: RetryPolicy | undefined;
  /** The queue of its jobs. */
  readonly queue: string | undefined;
  /** Priority from 0, the most urgent, to 9. */
  readonly priority: number | undefined;
  /** Time limit of one attempt. */
  readonly timeout: StepTime | undefined;
  /** When a timer elapses. */
  readonly after: StepTime | undefined;
  /** When a wait ends with the event `expired`. */
  readonly expires: StepTime | undefined;
  /** Time limit of all attempts together. */
  readonly deadline: StepTime | undefined;
  /** The code of a step. */
  readonly run: ((context: Context) => unknown) | undefined;
  /** How it is undone, as a step of its own; `undefined` if no event has anything to undo. */
  readonly undo: UndoDefinition | undefined;
  /** The workflow that the step starts as its child; `undefined` for all other steps. */
  readonly child: ChildDefinition | undefined;
  /** How each item of a list is run, as a step of its own; `undefined` for other steps. */
  readonly item: ItemDefinition | undefined;
  /** The code of a choice. */
  readonly decide: ((context: Pick<Context, "input" | "steps" | "emit">) => unknown) | undefined;
}

/** How a step starts a workflow as its child. */
export interface ChildDefinition {
  /** The workflow, or its versions. */
  readonly target: { readonly name: string };
  /** Makes the input of the child. */
  readonly input: (context: TimeContext) => unknown;
  /** Makes the value of its business key; `undefined` for the default. */
  readonly key: ((context: TimeContext) => unknown) | undefined;
  /** Whether the child goes on when its step is withdrawn. */
  readonly detached: boolean;
  /** How many ancestors a child may have. */
  readonly depth: number;
}

/** The step that undoes another one. Its code gets a context of its own. */
export interface UndoDefinition extends StepDefinition {
  /** The events that have something to undo. */
  readonly undoes: ReadonlySet<string>;
}

/** The step that runs one item of a list. Its code gets a context of its own. */
export interface ItemDefinition extends StepDefinition {
  /** Lists the items. */
  readonly over: (context: Pick<Context, "input" | "steps">) => unknown;
  /** How many run at once, and how many may fail. */
  readonly policy: ItemPolicy;
}

/** Whether the step can fail for good, so that its row may have a road for `failed`. */
export function canFail({ kind }: Pick<StepDefinition, "kind">): boolean {
  return kind === "step" || kind === "each";
}
