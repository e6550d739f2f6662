import type { StepKind } from "../graph/graph.ts";
import type { RetryPolicy } from "../value/retry.ts";
import type { Type } from "../value/type.ts";
import type { Context } from "./context.ts";

/** What a step wants to know of an earlier one: the output of an event, or (`"*"`) how it ended. */
export interface Need<
  Name extends string = string,
  Event extends string = string,
  Output = unknown,
> {
  /** The name of the earlier step. */
  readonly name: Name;
  /** The event, or `"*"`. */
  readonly event: Event;
  /** Exists in the types only. */
  readonly "~output": Output;
}

/** A step as data: what the engine and the workers read. */
export interface StepDefinition {
  /** The name: unique in a workflow. */
  readonly name: string;
  /** What it does. */
  readonly kind: StepKind;
  /** Whether its code may return `emit.later()`. */
  readonly asynchronous: boolean;
  /** Its events, each with the type of its output; `undefined` where the engine emits it. */
  readonly events: ReadonlyMap<string, Type<unknown> | undefined>;
  /** What must be certain when it starts. */
  readonly needs: readonly Omit<Need, "~output">[];
  /** What may have happened before it starts. */
  readonly sees: readonly Omit<Need, "~output">[];
  /** The input that the workflow must have. */
  readonly input: Type<unknown> | undefined;
  /** How failed attempts are repeated. */
  readonly retry: RetryPolicy | undefined;
  /** The queue that its jobs go to. */
  readonly queue: string | undefined;
  /** From 0, the most urgent, to 9. */
  readonly priority: number | undefined;
  /** Milliseconds that one attempt may take. */
  readonly timeout: number | undefined;
  /** Milliseconds that a timer waits. */
  readonly after: number | undefined;
  /** Milliseconds until a wait ends with the event `expired`. */
  readonly expires: number | undefined;
  /** The code of a step. */
  readonly run: ((context: Context) => unknown) | undefined;
  /** The code of a choice. */
  readonly decide: ((context: Pick<Context, "input" | "steps" | "emit">) => unknown) | undefined;
}
